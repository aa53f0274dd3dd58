import { Logger, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import { AppModule } from './app.module';
import type { Environment } from './config/environment';
import { StartError } from './config/start-error';
import { connectDatabase } from './database/connect';
import { isDatabaseAway } from './database/database-faults';
import { EmbeddedPostgres } from './database/embedded/embedded-postgres';
import { ApiError } from './errors/api-error';
import { LabeledImagesModule } from './labeled-images/labeled-images.module';
import { ServiceLogger } from './service-logger';
import { Sweeper, type SweepReport } from './tasks/sweeper';

/**
 * One sweep with the databases of the service, without the service.
 * @throws StartError wherever the operator can do something about it
 */
export async function sweepOnce(environment: Environment): Promise<SweepReport> {
  const { databaseUrl, dataDir } = environment;
  const logger = new ServiceLogger(true);
  // For what has something to say before there is an application.
  Logger.overrideLogger(logger);
  const embedded = databaseUrl === undefined ? await EmbeddedPostgres.start({ dataDir }) : undefined;
  try {
    return await sweep(embedded?.url ?? databaseUrl!, environment, logger); // one of the two is there
  } finally {
    await embedded?.stop();
  }
}

async function sweep(url: string, environment: Environment, logger: ServiceLogger): Promise<SweepReport> {
  let dataSource: DataSource | undefined;
  let app: INestApplicationContext | undefined;
  try {
    dataSource = await connectDatabase(url, environment.migrationsRun);
    await LabeledImagesModule.prepare(environment, dataSource);
    // The sweeps in the background would be in the way of this one.
    const module = AppModule.register({ ...environment, sweepIntervalS: 0 }, dataSource);
    app = await NestFactory.createApplicationContext(module, { logger, abortOnError: false });
    return await app.get(Sweeper).sweep();
  } catch (fault) {
    throw explain(fault);
  } finally {
    // The application has the connections to close, once there is one.
    await (app ? app.close() : dataSource?.destroy());
  }
}

function explain(fault: unknown): unknown {
  const isAway = isDatabaseAway(fault) || (fault instanceof ApiError && fault.errorName === 'DATABASE_AWAY');
  if (!isAway) return fault;
  const { cause = fault } = fault as Error; // both are one
  return new StartError(
    `A database was lost during the sweep (${String(cause)}): repeat it, what is left is found again.`,
    { cause },
  );
}
