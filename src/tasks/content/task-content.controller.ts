import { Body, Controller, Get, Param, Put, Query, UseInterceptors } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { FailsWith, JSON_BODY_ERRORS } from '../../errors/fails-with.decorator';
import { AnswersWith } from '../../http/answers-with.decorator';
import { Envelope } from '../../http/envelope.interceptor';
import { PageQuery } from '../../http/page.dto';
import { ImagePage } from '../../images/dto/image-page.dto';
import { LabelClassList } from '../../label-classes/dto/label-class-list.dto';
import { ImageAnnotations } from '../../labeled-images/dto/image-annotations.dto';
import { ReplaceAnnotationsDto } from '../../labeled-images/dto/replace-annotations.dto';
import { ImagePath } from '../dto/image-path.dto';
import { TaskPath } from '../dto/task-path.dto';
import { AnnotationEditor } from './annotation-editor';
import { TaskContentService } from './task-content.service';

@ApiTags('content')
@Controller('training/tasks/:task_id')
@UseInterceptors(Envelope)
export class TaskContentController {
  constructor(
    private readonly content: TaskContentService,
    private readonly editor: AnnotationEditor,
  ) {}

  /**
   * Images of a task
   *
   * @remarks
   * By `order_id`, each with its ROI if it has one.
   */
  @Get('images')
  @AnswersWith(ImagePage, { description: 'One page of images.' })
  @FailsWith('NOT_A_TASK_ID', 'NOT_A_LIMIT', 'NOT_A_CURSOR', 'TASK_NOT_FOUND')
  images(@Param() { task_id }: TaskPath, @Query() query: PageQuery): Promise<ImagePage> {
    return this.content.imagePage(task_id, query);
  }

  /**
   * Label classes of a task
   *
   * @remarks
   * By `order_id`; their ids are numbers.
   */
  @Get('label-classes')
  @AnswersWith(LabelClassList, { description: 'All classes of the task.' })
  @FailsWith('NOT_A_TASK_ID', 'TASK_NOT_FOUND')
  labelClasses(@Param() { task_id }: TaskPath): Promise<LabelClassList> {
    return this.content.labelClasses(task_id);
  }

  /**
   * Annotations of one image
   *
   * @remarks
   * `mongo_id` is null for an image that has no annotation document; an empty list in a document says that somebody looked
   * and found nothing.
   */
  @Get('images/:img_id/annotations')
  @AnswersWith(ImageAnnotations, { description: 'The annotation document; empty for an image without one.' })
  @FailsWith('NOT_A_TASK_ID', 'NOT_AN_IMAGE_ID', 'TASK_NOT_FOUND', 'IMAGE_NOT_FOUND')
  annotations(@Param() { task_id, img_id }: ImagePath): Promise<ImageAnnotations> {
    return this.content.annotations(task_id, img_id);
  }
  /**
   * Replace the annotations of one image
   *
   * @remarks
   * The image gets a new document, and a new `mongo_id`; an image without `state` becomes 已标注. What `GET` answered can be
   * sent back as it is. With `mongo_id`, nothing is changed unless it still is the image's: so that two people who edit one
   * image don't overwrite each other.
   */
  @Put('images/:img_id/annotations')
  @ApiBody({
    type: ReplaceAnnotationsDto,
    examples: {
      nothing: { summary: 'looked at, nothing there', value: { annotations: [] } },
      first: {
        summary: 'only if the image has no annotations yet',
        value: { mongo_id: null, annotations: [] },
      },
    },
  })
  @AnswersWith(ImageAnnotations, { description: 'The new annotation document.' })
  @FailsWith(
    ...JSON_BODY_ERRORS,
    'NOT_A_TASK_ID',
    'NOT_AN_IMAGE_ID',
    'NOT_ANNOTATIONS',
    'NOT_AN_ANNOTATION',
    'NOT_A_LABEL_CLASS_ID',
    'NOT_A_MONGO_ID',
    'BAD_BOX',
    'NEGATIVE_BOX',
    'BAD_SEGMENTATION',
    'BAD_NUMBER',
    'BAD_TEXT',
    'TOO_DEEP',
    'TASK_NOT_FOUND',
    'IMAGE_NOT_FOUND',
    'ANNOTATIONS_CHANGED',
    'TASK_BUSY',
    'UNKNOWN_LABEL_CLASS',
    'OUTCOME_UNKNOWN',
    'DOCUMENT_ID_TAKEN',
    'DOCUMENT_TOO_LARGE',
  )
  replaceAnnotations(
    @Param() path: ImagePath,
    @Body() dto: ReplaceAnnotationsDto,
  ): Promise<ImageAnnotations> {
    return this.editor.replace(path, dto);
  }
}
