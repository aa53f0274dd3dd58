import {
  Controller,
  Get,
  Param,
  Put,
  Query,
  Req,
  UseInterceptors,
  type StreamableFile,
} from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { FailsWith } from '../errors/fails-with.decorator';
import { AnswersWith } from '../http/answers-with.decorator';
import { Envelope } from '../http/envelope.interceptor';
import { TaskPath } from '../tasks/dto/task-path.dto';
import { CocoExportService } from './coco-export.service';
import { CocoImportService } from './coco-import.service';
import { Imported } from './dto/imported.dto';
import { ImportPath } from './dto/import-path.dto';
import { ImportQuery } from './dto/import-query.dto';

const EXAMPLE = {
  images: [{ id: 1, file_name: 'a.jpg', width: 640, height: 480 }],
  categories: [{ id: 1, name: 'scratch' }],
  annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [10, 10, 100, 50] }],
};

@ApiTags('coco')
@Controller('training/tasks/:task_id/coco')
@UseInterceptors(Envelope)
export class CocoController {
  constructor(
    private readonly importing: CocoImportService,
    private readonly exporting: CocoExportService,
  ) {}

  /**
   * Import a COCO data set
   *
   * @remarks
   * Into an empty task, or into a new one where `task_type` is given: all or nothing. Fields that the service does not know
   * are kept. Dirty input that does no harm is kept too, and counted in `warnings`.
   */
  @Put()
  @ApiBody({
    required: true,
    description: 'a COCO file',
    schema: { type: 'object', required: ['images'], additionalProperties: true },
    examples: { small: { summary: 'one image with one box', value: EXAMPLE } },
  })
  @AnswersWith(Imported, { description: 'What was imported.' })
  @FailsWith(
    'NOT_A_TASK_ID',
    'NOT_A_TASK_TYPE',
    'NOT_A_NAME',
    'MALFORMED_FILE',
    'INCOMPLETE_BODY',
    'IMPORT_TARGET_NOT_FOUND',
    'REQUEST_TIMEOUT',
    'TASK_TYPES_DIFFER',
    'IMPORT_TARGET_NOT_EMPTY',
    'TASK_BUSY',
    'TOO_MANY_COPIES',
    'OUTCOME_UNKNOWN',
    'DOCUMENT_ID_TAKEN',
    'BODY_TOO_LARGE',
    'UNSUPPORTED_MEDIA_TYPE',
    'UNSUPPORTED_ENCODING',
    'NOT_A_DATA_SET',
    'FAULTY_DATA_SET',
  )
  import(
    @Param() { task_id }: ImportPath,
    @Query() query: ImportQuery,
    @Req() request: Request,
  ): Promise<Imported> {
    return this.importing.import(task_id, query, request);
  }

  /**
   * Export as a COCO data set
   *
   * @remarks
   * A plain COCO file, without the envelope of the other answers. It imports again to the same content.
   */
  @Get()
  @ApiOkResponse({
    description: 'The file. Images are numbered by `order_id`; `img_id` is the id in this service.',
    content: { 'application/json': { schema: { type: 'object', additionalProperties: true } } },
  })
  @FailsWith('NOT_A_TASK_ID', 'TASK_NOT_FOUND')
  export(@Param() { task_id }: TaskPath): Promise<StreamableFile> {
    return this.exporting.export(task_id);
  }
}
