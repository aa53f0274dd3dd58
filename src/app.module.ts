import { Module, type DynamicModule } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { CocoModule } from './coco/coco.module';
import type { Environment } from './config/environment';
import { EnvironmentModule } from './config/environment.module';
import { DocsModule } from './docs/docs.module';
import { HealthModule } from './health/health.module';
import { LabeledImagesModule } from './labeled-images/labeled-images.module';
import { TasksModule } from './tasks/tasks.module';

@Module({})
export class AppModule {
  /** `dataSource` is connected already: what is wrong with a database is told before anything else is built. */
  static register(environment: Environment, dataSource: DataSource): DynamicModule {
    return {
      module: AppModule,
      imports: [
        EnvironmentModule.register(environment),
        TypeOrmModule.forRootAsync({
          useFactory: () => dataSource.options,
          dataSourceFactory: () => Promise.resolve(dataSource),
        }),
        LabeledImagesModule.register(environment),
        TasksModule,
        CocoModule,
        HealthModule,
        DocsModule,
      ],
    };
  }
}
