import { Installation } from './installation';
import type { Mode } from './mode';
import { mongodBinary, startServers, type Servers } from './servers';

/** All that the scenarios measure on: the servers, and an installation of the service for each mode. */
export class Rig {
  private stopped: Promise<void> | undefined;

  private constructor(
    readonly servers: Servers,
    private readonly installations: ReadonlyMap<Mode, Installation>,
  ) {}

  /** @throws MongodMissing where a mode wants one and there is none */
  static async start(modes: readonly Mode[]): Promise<Rig> {
    const servers = await startServers(modes.includes('mongo') ? await mongodBinary() : undefined);
    try {
      const installations = new Map<Mode, Installation>();
      for (const mode of modes) installations.set(mode, await Installation.create(mode, servers));
      return new Rig(servers, installations);
    } catch (fault) {
      await servers.stop();
      throw fault;
    }
  }

  installation(mode: Mode): Installation {
    const found = this.installations.get(mode);
    if (!found) throw new Error(`the rig was started without ${mode}`);
    return found;
  }

  /** Nothing is left; safe to call twice, at Ctrl-C and by what fails then. */
  stop(): Promise<void> {
    return (this.stopped ??= this.stopAll());
  }

  private async stopAll(): Promise<void> {
    for (const installation of this.installations.values()) await installation.close();
    await this.servers.stop();
  }
}
