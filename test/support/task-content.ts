import type { Api } from './api';
import type { CocoDataSet } from './data-set';

export interface ListedImage extends Record<string, unknown> {
  readonly img_id: string;
  readonly img_roi_id: string | null;
  readonly mongo_id: string | null;
  readonly order_id: number;
}

export interface ListedClass extends Record<string, unknown> {
  readonly id: number;
}

export type ListedAnnotation = Record<string, unknown> & { readonly lab_class_id: number };

/** All that the service shows of a task with at most a thousand images. */
export interface TaskContent {
  readonly task: Record<string, unknown>;
  readonly images: readonly ListedImage[];
  readonly classes: readonly ListedClass[];
  /** Of each image, in their order. */
  readonly annotations: readonly (readonly ListedAnnotation[])[];
  readonly exported: CocoDataSet & Record<string, unknown>;
  /** The answers that this was read from. */
  readonly texts: readonly string[];
}

export async function contentOf(api: Api, taskId: string): Promise<TaskContent> {
  const read = async (path: string) => {
    const { status, text, body } = await api.get(`/training/tasks/${taskId}${path}`);
    if (status !== 200) throw new Error(`${path}: ${text}`);
    return { text, body };
  };
  const lists = await Promise.all(['', '/images?limit=1000', '/label-classes', '/coco'].map(read));
  const [task, imageList, classList, exported] = lists.map(({ body }) => body);
  const images = imageList!['image_list'] as ListedImage[]; // as many answers as paths
  const documents = await Promise.all(images.map(({ img_id }) => read(`/images/${img_id}/annotations`)));
  documents.forEach(({ body }, at) => {
    if (body['mongo_id'] !== images[at]?.mongo_id)
      throw new Error(`image ${String(at)} has another document`);
  });
  return {
    task: task!,
    images,
    classes: classList!['lab_class_list'] as ListedClass[],
    annotations: documents.map(({ body }) => body['annotations'] as ListedAnnotation[]),
    exported: exported as TaskContent['exported'],
    texts: [...lists, ...documents].map(({ text }) => text),
  };
}
