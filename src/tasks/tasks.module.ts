import { Module } from '@nestjs/common';
import { ImagesModule } from '../images/images.module';
import { LabelClassesModule } from '../label-classes/label-classes.module';
import { AnnotationEditor } from './content/annotation-editor';
import { TaskContentController } from './content/task-content.controller';
import { TaskContentService } from './content/task-content.service';
import { AttemptRepository } from './duplication/attempt.repository';
import { CopiedRowsRepository } from './duplication/copied-rows.repository';
import { CopyPlanner } from './duplication/copy-planner';
import { DuplicationAnswer } from './duplication/duplication-answer';
import { DuplicationRelations } from './duplication/duplication-relations';
import { DuplicationVerification } from './duplication/duplication-verification';
import { DuplicationService } from './duplication/duplication.service';
import { Sweeper } from './sweeper';
import { TaskDeletion } from './task-deletion';
import { TaskLock } from './task-lock';
import { TaskRepository } from './task.repository';
import { TasksController } from './tasks.controller';
import { TasksService } from './tasks.service';

@Module({
  imports: [ImagesModule, LabelClassesModule],
  controllers: [TasksController, TaskContentController],
  providers: [
    TasksService,
    TaskDeletion,
    TaskContentService,
    AnnotationEditor,
    TaskRepository,
    TaskLock,
    Sweeper,
    DuplicationService,
    AttemptRepository,
    CopyPlanner,
    DuplicationAnswer,
    DuplicationRelations,
    DuplicationVerification,
    CopiedRowsRepository,
  ],
  exports: [TaskRepository, TaskLock, Sweeper],
})
export class TasksModule {}
