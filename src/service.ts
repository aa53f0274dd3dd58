import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { DataSource } from 'typeorm';
import { AppModule } from './app.module';
import type { Environment } from './config/environment';
import { StartError } from './config/start-error';
import { configureApp } from './configure-app';
import { connectDatabase } from './database/connect';
import { EmbeddedPostgres } from './database/embedded/embedded-postgres';
import type { ShutdownGate } from './http/shutdown-gate';
import { LabeledImagesModule } from './labeled-images/labeled-images.module';
import { ServiceLogger } from './service-logger';
import { loadSample } from './sample/load-sample';
import { TaskLock } from './tasks/task-lock';

const IDLE_POLL_MS = 100;

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
    const logger = new ServiceLogger(quiet);
    // For what has something to say before there is an application.
    Logger.overrideLogger(logger);
    const embedded =
      databaseUrl === undefined ? await EmbeddedPostgres.start({ dataDir, durable }) : undefined;
    let dataSource: DataSource | undefined;
    let app: NestExpressApplication | undefined;
    try {
      dataSource = await connectDatabase(embedded?.url ?? databaseUrl!, migrationsRun); // one of the two is there
      await LabeledImagesModule.prepare(environment, dataSource);
      app = await NestFactory.create<NestExpressApplication>(AppModule.register(environment, dataSource), {
        bodyParser: false,
        logger,
        abortOnError: false,
      });
      const service = new Service(app, configureApp(app, environment), environment, embedded);
      await app.init();
      if (embedded && sampleData) await loadSample(app);
      await listen(service.server, environment);
      return service;
    } catch (fault) {
      // The application has the connections to close, once there is one.
      await (app ? app.close() : dataSource?.destroy());
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
    const lock = this.app.get(TaskLock);
    // A copy goes on when its client has left.
    const ended = this.closeServer().then(() => lock.allReleased());
    if (!(await isDoneIn(this.environment.shutdownS * 1_000, ended))) {
      this.logger.warn({ event: 'requests_cut', after_s: this.environment.shutdownS });
      this.server.closeAllConnections();
      // Ends the sessions of copies that still run: that rolls them back.
      await lock.abort();
    }
    await this.app.close();
    await this.embedded?.stop();
  }

  /** Resolves when the last request has been answered. */
  private async closeServer(): Promise<void> {
    const closed = once(this.server.close(), 'close');
    // close() ends the connections that are idle now; one that becomes idle would be kept for the client's next request.
    const idle = setInterval(() => this.server.closeIdleConnections(), IDLE_POLL_MS);
    await closed;
    clearInterval(idle);
  }

  private get server(): Server {
    return this.app.getHttpServer();
  }
}

async function isDoneIn(ms: number, work: Promise<unknown>): Promise<boolean> {
  return Promise.race([work.then(() => true), sleep(ms, false, { ref: false })]);
}

async function listen(server: Server, { host, port }: Environment): Promise<void> {
  try {
    // app.listen() would log the fault, too.
    await once(server.listen(port, host), 'listening');
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
