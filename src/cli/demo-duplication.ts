import type { DuplicatedTask } from '../tasks/duplication/dto/duplicated-task.dto';
import type { DuplicationStatus } from '../tasks/duplication/dto/duplication-status.dto';
import { ServiceError, type ServiceClient } from './service-client';

interface DemoAnswer {
  readonly text: string;
  readonly msg: string;
  /** Nothing was copied for it. */
  readonly isReplayed: boolean;
}

/** One duplication of the demo, which is requested more than once. */
export class DemoDuplication {
  readonly body: string;
  private readonly json: object;

  constructor(
    source: string,
    private readonly target: string,
  ) {
    this.json = { task_id_old: source, task_id: target };
    this.body = JSON.stringify(this.json);
  }

  /** Of the target, or of what belongs to it. */
  path(resource = ''): string {
    return `/training/tasks/${this.target}${resource && `/${resource}`}`;
  }

  async request(client: ServiceClient): Promise<DemoAnswer> {
    const path = '/training/tasks/duplication';
    const { body, headers } = await client.send({ method: 'POST', path, json: this.json });
    const text = await body.text();
    const { msg } = JSON.parse(text) as DuplicatedTask & { msg: string };
    return { text, msg, isReplayed: headers['idempotency-replayed'] === 'true' };
  }

  /** undefined before the attempt is recorded */
  async status(client: ServiceClient): Promise<DuplicationStatus | undefined> {
    try {
      return await client.json<DuplicationStatus>({ method: 'GET', path: this.path('duplication') });
    } catch (fault) {
      if (fault instanceof ServiceError && fault.status === 404) return undefined;
      throw fault;
    }
  }

  counts(status: DuplicationStatus | undefined): string {
    if (!status) return 'nothing';
    const { image_count, roi_count, label_class_count, document_count } = status;
    return `${String(image_count)} images, ${String(roi_count)} ROIs, ${String(label_class_count)} label classes, ${String(document_count)} annotation documents`;
  }
}

/** Tells what holds. @throws where it does not: then the demo has failed */
export function claim(what: string, holds: boolean): void {
  if (!holds) throw new Error(`This does not hold: ${what}`);
  console.log(`  ${what}`);
}
