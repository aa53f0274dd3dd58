import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import type { DataSource } from 'typeorm';
import { AppModule } from '../../src/app.module';
import { loadEnvironment } from '../../src/config/environment';
import { configureApp } from '../../src/configure-app';
import { connectDatabase } from '../../src/database/connect';
import { LabeledImagesModule } from '../../src/labeled-images/labeled-images.module';
import { Api } from './api';
import type { DocumentMode } from './document-mode';
import { mongoDatabase, type MongoDatabase } from './mongo-database';
import { createDatabase, dropDatabase, TEMPLATE, urlOf } from './test-database';

export interface TestAppOptions {
  readonly documents?: DocumentMode;
}

/** The real application on a database of its own, listening on a free port. */
export class TestApp {
  private constructor(
    readonly app: NestExpressApplication,
    readonly dataSource: DataSource,
    readonly url: string,
    private readonly database: string,
    private readonly mongo: MongoDatabase | undefined,
  ) {}

  /** `variables` as in the environment of the service. */
  static async start(
    variables: Record<string, string> = {},
    { documents = 'postgresql' }: TestAppOptions = {},
  ): Promise<TestApp> {
    const database = `test_${randomBytes(6).toString('hex')}`;
    const mongo = documents === 'mongodb' ? mongoDatabase() : undefined;
    const environment = loadEnvironment({
      // A test sweeps when it wants to.
      SWEEP_INTERVAL_S: '0',
      ...(mongo && { MONGODB_URI: mongo.uri }),
      ...variables,
    });
    const dataSource = await connectDatabase(await createDatabase(database, TEMPLATE), false);
    await LabeledImagesModule.prepare(environment, dataSource);
    const module = await Test.createTestingModule({
      imports: [AppModule.register(environment, dataSource)],
    }).compile();
    const app = module.createNestApplication<NestExpressApplication>({
      bodyParser: false,
      logger: ['fatal'],
    });
    configureApp(app, environment);
    await app.listen(0, '127.0.0.1');
    return new TestApp(app, dataSource, await app.getUrl(), database, mongo);
  }

  get databaseUrl(): string {
    return urlOf(this.database);
  }

  get api(): Api {
    return new Api(this.url);
  }

  /** The number of rows of every table: nothing has changed where this has not. */
  async rowCounts(): Promise<Record<string, number>> {
    const tables = ['task', 'label_class', 'image', 'roi_image', 'labeled_image', 'task_duplication'];
    const counts = tables.map((table) => `(SELECT count(*)::int FROM ${table}) AS ${table}`);
    const [row] = await this.dataSource.query<Record<string, number>[]>(`SELECT ${counts.join(', ')}`);
    return row!;
  }

  async stop(): Promise<void> {
    await this.app.close();
    await dropDatabase(this.database);
    await this.mongo?.drop();
  }
}
