import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module';
import type { Environment } from './config/environment';
import { StartError } from './config/start-error';
import { configureApp } from './configure-app';
import { connectDatabase } from './database/connect';
import { EmbeddedPostgres } from './database/embedded/embedded-postgres';
import type { ShutdownGate } from './http/shutdown-gate';
import { ServiceLogger } from './service-logger';
import { loadSample } from './sample/load-sample';
import { TaskLock } from './tasks/task-lock';

export interface ServiceOptions {
  /** false for throwaway data */
  readonly durable?: boolean;
  /** Logs warnings and worse only. */
  readonly quiet?: boolean;
}

/** The running service: the application and, where it has one, its embedded database. */
export class Service {
  private readonly logger = new Logger(Service.name);

  private constructor(
    readonly app: NestExpressApplication,
    private readonly gate: ShutdownGate,
    private readonly environment: Environment,
    private readonly embedded: EmbeddedPostgres | undefined,
  ) {}

  /** @throws StartError wherever the operator can do something about it */
  static async start(
    environment: Environment,
    { durable = true, quiet = false }: ServiceOptions = {},
  ): Promise<Service> {
    const { databaseUrl, dataDir, migrationsRun, sampleData } = environment;
    const embedded =
      databaseUrl === undefined ? await EmbeddedPostgres.start({ dataDir, durable }) : undefined;
    try {
      const dataSource = await connectDatabase(embedded?.url ?? databaseUrl!, migrationsRun); // one of the two is there
      const app = await NestFactory.create<NestExpressApplication>(
        AppModule.register(environment, dataSource),
        {
          bodyParser: false,
          logger: new ServiceLogger(quiet),
          abortOnError: false,
        },
      );
      const service = new Service(app, configureApp(app, environment), environment, embedded);
      await app.init();
      if (embedded && sampleData) await loadSample(app);
      await listen(app, environment);
      return service;
    } catch (fault) {
      await embedded?.stop();
      throw fault;
    }
  }

  /** Where it listens: `http://host:port`. */
  get url(): string {
    const { port, address, family } = this.server.address() as AddressInfo;
    const host =
      address === '0.0.0.0' || address === '::' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
    return `http://${host}:${String(port)}`;
  }

  /** Resolves with the reason when the embedded database ends on its own: the service can't go on without it. */
  get databaseEnded(): Promise<string> {
    return this.embedded?.exited ?? new Promise(() => undefined);
  }

  /** Lets running requests and copies end, at most SHUTDOWN_S; then copies are rolled back and streams cut. */
  async stop(): Promise<void> {
    this.gate.close();
    const closed = once(this.server.close(), 'close');
    const ended = Promise.all([closed, this.app.get(TaskLock).allReleased()]).then(() => true);
    const inTime = await Promise.race([
      ended,
      sleep(this.environment.shutdownS * 1_000, false, { ref: false }),
    ]);
    if (!inTime) {
      this.logger.warn({ event: 'requests_cut', after_s: this.environment.shutdownS });
      this.server.closeAllConnections();
      // Ends the sessions of copies that still run: that rolls them back.
      await this.app.get(TaskLock).abort();
    }
    await this.app.close();
    await this.embedded?.stop();
  }

  private get server(): Server {
    return this.app.getHttpServer();
  }
}

async function listen(app: NestExpressApplication, { host, port }: Environment): Promise<void> {
  try {
    await app.listen(port, host);
  } catch (fault) {
    const reason = LISTEN_FAULTS[(fault as NodeJS.ErrnoException).code ?? ''];
    if (reason === undefined) throw fault;
    throw new StartError(reason(host, port), { cause: fault });
  }
}

const LISTEN_FAULTS: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (_, port) =>
    `Port ${String(port)} is taken by another program: end it, or set PORT to another one.`,
  EACCES: (_, port) => `Port ${String(port)} may not be used by this user: set PORT to one over 1023.`,
  EADDRNOTAVAIL: (host) => `${host} is no address of this machine: set HOST to one that is.`,
  ENOTFOUND: (host) => `${host} is no known host: set HOST to an address of this machine.`,
};
