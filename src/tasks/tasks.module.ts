import { Module } from '@nestjs/common';
import { ImagesModule } from '../images/images.module';
import { LabelClassesModule } from '../label-classes/label-classes.module';
import { LabeledImagesModule } from '../labeled-images/labeled-images.module';
import { TaskContentController } from './content/task-content.controller';
import { TaskContentService } from './content/task-content.service';
import { AttemptRepository } from './duplication/attempt.repository';
import { CopyPlanner } from './duplication/copy-planner';
import { DuplicationAnswer } from './duplication/duplication-answer';
import { DuplicationRelations } from './duplication/duplication-relations';
import { DuplicationService } from './duplication/duplication.service';
import { Sweeper } from './sweeper';
import { TaskLock } from './task-lock';
import { TaskRepository } from './task.repository';
import { TasksController } from './tasks.controller';
import { TasksService } from './tasks.service';

@Module({
  imports: [ImagesModule, LabelClassesModule, LabeledImagesModule],
  controllers: [TasksController, TaskContentController],
  providers: [
    TasksService,
    TaskContentService,
    TaskRepository,
    TaskLock,
    Sweeper,
    DuplicationService,
    AttemptRepository,
    CopyPlanner,
    DuplicationAnswer,
    DuplicationRelations,
  ],
  exports: [TaskRepository, TaskLock, Sweeper],
})
export class TasksModule {}
