import { Module } from '@nestjs/common';
import { LabeledImageRepository } from './labeled-image.repository';
import { PostgresLabeledImageRepository } from './postgres/postgres-labeled-image.repository';

/** The one place that knows where the documents live. */
@Module({
  providers: [{ provide: LabeledImageRepository, useClass: PostgresLabeledImageRepository }],
  exports: [LabeledImageRepository],
})
export class LabeledImagesModule {}
