import { DataSource, type DataSourceOptions } from 'typeorm';
import { IdCounter } from './src/database/id-counter.entity';
import { Installation } from './src/database/installation.entity';
import { migrations } from './src/database/migrations';
import { watchedSockets } from './src/database/watched-socket';
import { Image } from './src/images/image.entity';
import { RoiImage } from './src/images/roi-image.entity';
import { LabelClass } from './src/label-classes/label-class.entity';
import { DocumentGarbage } from './src/labeled-images/document-garbage.entity';
import { LabeledImage } from './src/labeled-images/postgres/labeled-image.entity';
import { TaskDuplication } from './src/tasks/duplication/task-duplication.entity';
import { Task } from './src/tasks/task.entity';

/** The one description of the database, for the application, the migrations and the command line. */
export function dataSourceOptions(url: string): DataSourceOptions {
  return {
    type: 'postgres',
    url,
    entities: [
      Task,
      LabelClass,
      Image,
      RoiImage,
      TaskDuplication,
      LabeledImage,
      DocumentGarbage,
      Installation,
      IdCounter,
    ],
    migrations,
    migrationsTableName: 'migration',
    applicationName: 'training-tasks',
    // Enough for copies, streams and reads at once; a PostgreSQL server accepts 100 by default.
    poolSize: 20,
    connectTimeoutMS: 10_000,
    extra: { keepAlive: true, keepAliveInitialDelayMillis: 10_000, stream: watchedSockets(url) },
  };
}

/** For TypeORM's own command line: `typeorm migration:generate -d dist/ormconfig.js`. */
export default new DataSource(dataSourceOptions(process.env['DATABASE_URL'] ?? ''));
