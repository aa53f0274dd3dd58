import type { ErrorName } from '../../../src/errors/errors';

/** What the images of a task say; `filling` tells one filling of a task from the next, as the ids of its images do. */
export interface Content {
  readonly filling: number;
  readonly notes: readonly string[];
}

export interface ModelTask {
  /** null: no image, no label class. */
  readonly content: Content | null;
  /** The source of the duplication that filled it. */
  readonly copyOf: number | null;
}

/** The tasks that exist, by a small number in place of an id. */
export type Model = ReadonlyMap<number, ModelTask>;

export type Outcome = 'ok' | ErrorName;

export interface Result {
  readonly model: Model;
  readonly outcome: Outcome;
}

/** A write as the contract describes it: what it answers, and what is there afterwards. `number` is unique in a run. */
export type Operation = { readonly number: number } & (
  | { readonly kind: 'duplicate'; readonly source: number; readonly target: number }
  | { readonly kind: 'import'; readonly target: number; readonly images: number }
  | { readonly kind: 'edit'; readonly target: number; readonly filling: number; readonly place: number }
  | { readonly kind: 'delete'; readonly target: number }
  | { readonly kind: 'create'; readonly target: number }
);

export function noteOf(operation: number, place: number): string {
  return `by ${String(operation)} at ${String(place)}`;
}

export function apply(model: Model, operation: Operation): Result {
  const task = model.get(operation.target);
  const refuse = (outcome: ErrorName): Result => ({ model, outcome });
  const put = (changed: ModelTask): Result => ({
    model: new Map([...model, [operation.target, changed]]),
    outcome: 'ok',
  });
  switch (operation.kind) {
    case 'create':
      return task ? refuse('TASK_EXISTS') : put({ content: null, copyOf: null });
    case 'delete':
      return task
        ? { model: new Map([...model].filter(([key]) => key !== operation.target)), outcome: 'ok' }
        : refuse('TASK_NOT_FOUND');
    case 'import':
      if (task?.content) return refuse('IMPORT_TARGET_NOT_EMPTY');
      return put({ content: imported(operation.number, operation.images), copyOf: task?.copyOf ?? null });
    case 'edit': {
      if (!task) return refuse('TASK_NOT_FOUND');
      const { content } = task;
      if (content?.filling !== operation.filling) return refuse('IMAGE_NOT_FOUND');
      const notes = content.notes.with(operation.place, noteOf(operation.number, operation.place));
      return put({ ...task, content: { ...content, notes } });
    }
    case 'duplicate': {
      const { source, target, number } = operation;
      if (source === target) return refuse('SAME_TASK');
      if (task && task.copyOf !== null)
        return task.copyOf === source ? { model, outcome: 'ok' } : refuse('COPY_OF_ANOTHER_TASK');
      const original = model.get(source);
      if (!original) return refuse('SOURCE_NOT_FOUND');
      if (task?.content) return refuse('TARGET_NOT_EMPTY');
      return put({ content: original.content && { ...original.content, filling: number }, copyOf: source });
    }
  }
}

function imported(number: number, images: number): Content {
  return { filling: number, notes: Array.from({ length: images }, (_, place) => noteOf(number, place)) };
}

/** Every order in which these may have taken effect one after the other. */
export function* orders<T>(items: readonly T[]): Generator<readonly T[]> {
  if (items.length === 0) yield [];
  for (const [at, first] of items.entries()) {
    for (const rest of orders(items.toSpliced(at, 1))) yield [first, ...rest];
  }
}
