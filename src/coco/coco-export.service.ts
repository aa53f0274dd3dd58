import { Injectable, type StreamableFile } from '@nestjs/common';
import { DataSource, type QueryRunner } from 'typeorm';
import { streamInSnapshot } from '../database/transaction';
import { ApiError } from '../errors/api-error';
import { jsonItems, jsonMember } from '../http/json-list';
import { streamText } from '../http/streamed-answer';
import { ImageRepository, type ImageToExport } from '../images/image.repository';
import { LabelClassRepository, type LabelClassRow } from '../label-classes/label-class.repository';
import {
  LabeledImageRepository,
  type Annotation,
  type PlacedDocument,
} from '../labeled-images/labeled-image.repository';
import { TaskRepository } from '../tasks/task.repository';

/** Writes a task as a COCO data set that imports again to the same content, from one snapshot. */
@Injectable()
export class CocoExportService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly tasks: TaskRepository,
    private readonly images: ImageRepository,
    private readonly labelClasses: LabelClassRepository,
    private readonly labeledImages: LabeledImageRepository,
  ) {}

  /** @throws ApiError TASK_NOT_FOUND */
  export(taskId: string): Promise<StreamableFile> {
    const pieces = streamInSnapshot(this.dataSource, (connection) => this.write(connection, taskId));
    return streamText(pieces, { disposition: `attachment; filename="coco-${taskId}.json"` });
  }

  private async *write(connection: QueryRunner, taskId: string): AsyncGenerator<string> {
    const head = await this.tasks.findCocoHead(connection.manager, taskId);
    if (!head) throw new ApiError('TASK_NOT_FOUND', { id: taskId });
    yield '{';
    if (head.info !== null) yield `${jsonMember('info', head.info)},`;
    if (head.licenses !== null) yield `${jsonMember('licenses', head.licenses)},`;
    const categories = await this.labelClasses.list(connection.manager, taskId);
    yield `${jsonMember('categories', categories.map(toCategory))},"images":[`;
    yield* this.writeImages(connection, taskId);
    yield '],"annotations":[';
    yield* this.writeAnnotations(connection, taskId);
    yield ']}';
  }

  private writeImages(connection: QueryRunner, taskId: string): AsyncGenerator<string> {
    let id = 0;
    return jsonItems(this.images.streamToExport(connection, taskId), (row) =>
      JSON.stringify(toImage(++id, row)),
    );
  }

  private writeAnnotations(connection: QueryRunner, taskId: string): AsyncGenerator<string> {
    let id = 0;
    const annotations = flatten(this.labeledImages.stream(connection, taskId));
    return jsonItems(annotations, (row) => JSON.stringify(toAnnotation(++id, row)));
  }
}

interface PlacedAnnotation {
  readonly place: number;
  readonly annotation: Annotation;
}

async function* flatten(documents: AsyncIterable<PlacedDocument[]>): AsyncGenerator<PlacedAnnotation[]> {
  for await (const batch of documents) {
    const annotations = batch.flatMap(({ place, annotations }) =>
      annotations.map((annotation) => ({ place, annotation })),
    );
    if (annotations.length > 0) yield annotations;
  }
}

function toCategory({ id, name, color, extra }: LabelClassRow): object {
  return { id, name, color, ...extra };
}

function toImage(id: number, row: ImageToExport): object {
  return {
    id,
    file_name: row.name,
    width: row.width,
    height: row.height,
    img_id: row.id,
    set_type: row.setType,
    state: row.state,
    roi: row.roi,
    order_id: row.orderId,
    ...row.extra,
  };
}

/** `id`, `image_id` and `category_id` are the file's own: a document that has such members keeps them to itself. */
function toAnnotation(id: number, { place, annotation }: PlacedAnnotation): object {
  const { lab_class_id, id: _id, image_id: _imageId, category_id: _categoryId, ...rest } = annotation;
  return { id, image_id: place, category_id: lab_class_id, ...rest };
}
