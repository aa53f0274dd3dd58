import { Api } from '../../support/api';
import { Program, type Ended, type ProgramOptions } from './program';

/** The built service as a process of its own, on a free port. */
export class ServiceProcess {
  private constructor(
    readonly program: Program,
    readonly url: string,
  ) {}

  /** Resolves when it is ready; throws what it said when it ends before. */
  static async start(
    env: Record<string, string> = {},
    options: ProgramOptions = {},
  ): Promise<ServiceProcess> {
    return ServiceProcess.of(Program.start(['serve'], { ...options, env: { PORT: '0', ...env } }));
  }

  static async of(program: Program): Promise<ServiceProcess> {
    const [, url] = await program.prints(/documentation +(http:\S+)\/docs\n/);
    return new ServiceProcess(program, url!);
  }

  get api(): Api {
    return new Api(this.url);
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.program.kill(signal);
    return this.program.ended;
  }

  /** Whether a new connection is refused. */
  async isClosed(): Promise<boolean> {
    return fetch(`${this.url}/health/live`).then(
      () => false,
      () => true,
    );
  }
}
