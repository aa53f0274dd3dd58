import { Module } from '@nestjs/common';
import { ImagesModule } from '../images/images.module';
import { LabelClassesModule } from '../label-classes/label-classes.module';
import { TasksModule } from '../tasks/tasks.module';
import { CocoExportService } from './coco-export.service';
import { CocoImportService } from './coco-import.service';
import { CocoController } from './coco.controller';
import { StagingRepository } from './staging/staging.repository';

@Module({
  imports: [TasksModule, ImagesModule, LabelClassesModule],
  controllers: [CocoController],
  providers: [CocoImportService, CocoExportService, StagingRepository],
  exports: [CocoImportService],
})
export class CocoModule {}
