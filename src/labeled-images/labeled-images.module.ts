import { Module, type DynamicModule } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Environment } from '../config/environment';
import { DocumentGarbageRepository } from './document-garbage.repository';
import { takeDocumentStore } from './document-store';
import { LabeledImageRepository } from './labeled-image.repository';
import { prepareMongo } from './mongoose/mongo-connection';
import { MongooseStoreModule } from './mongoose/mongoose-store.module';
import { PostgresLabeledImageRepository } from './postgres/postgres-labeled-image.repository';

/** The one place that knows where the documents live. Global: there is one store, whoever asks for it. */
@Module({ providers: [DocumentGarbageRepository], exports: [DocumentGarbageRepository] })
export class LabeledImagesModule {
  /**
   * Before the application is built, so that what is wrong is told first: makes sure that the documents are where the
   * environment says.
   * @throws StartError
   */
  static async prepare({ mongodbUri }: Environment, dataSource: DataSource): Promise<void> {
    if (mongodbUri === undefined) await takeDocumentStore(dataSource, 'postgresql');
    else await prepareMongo(mongodbUri, dataSource);
  }

  static register({ mongodbUri }: Environment): DynamicModule {
    const common = { module: LabeledImagesModule, global: true };
    if (mongodbUri === undefined) {
      const store = { provide: LabeledImageRepository, useClass: PostgresLabeledImageRepository };
      return { ...common, providers: [store], exports: [LabeledImageRepository] };
    }
    const store = MongooseStoreModule.register(mongodbUri);
    return { ...common, imports: [store], exports: [store] };
  }
}
