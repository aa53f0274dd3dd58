import { Module } from '@nestjs/common';
import { DocumentGarbageRepository } from './document-garbage.repository';
import { LabeledImageRepository } from './labeled-image.repository';
import { PostgresLabeledImageRepository } from './postgres/postgres-labeled-image.repository';

/** The one place that knows where the documents live. */
@Module({
  providers: [
    { provide: LabeledImageRepository, useClass: PostgresLabeledImageRepository },
    DocumentGarbageRepository,
  ],
  exports: [LabeledImageRepository, DocumentGarbageRepository],
})
export class LabeledImagesModule {}
