import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { connectDatabase } from '../../src/database/connect';
import { PostgresLabeledImageRepository } from '../../src/labeled-images/postgres/postgres-labeled-image.repository';
import { createDatabase, dropDatabase, TEMPLATE } from '../support/test-database';
import {
  describeLabeledImageRepository,
  type DocumentStore,
  type StoredDocument,
} from './labeled-image-repository.contract';

describeLabeledImageRepository('PostgreSQL', async (): Promise<DocumentStore> => {
  const database = `test_${randomBytes(6).toString('hex')}`;
  const dataSource = await connectDatabase(await createDatabase(database, TEMPLATE), false);
  return {
    dataSource,
    repository: new PostgresLabeledImageRepository(),
    stored: (taskId) =>
      dataSource.query<StoredDocument[]>(
        `SELECT
           id, img_id AS "imageId", img_roi_id AS "roiId", lab_class_ids AS "classIds", annotations::text AS rest
         FROM labeled_image
         WHERE task_id = $1
         ORDER BY id`,
        [taskId],
      ),
    close: async () => {
      await dataSource.destroy();
      await dropDatabase(database);
    },
  };
});
