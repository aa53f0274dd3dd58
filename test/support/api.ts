/** What came back, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; a test says what it expects of it. */
  readonly body: Record<string, unknown>;
}

/** Calls the service as any client would. */
export class Api {
  constructor(private readonly url: string) {}

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('GET', path, { headers });
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.sendJson('POST', path, body, headers);
  }

  put(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.sendJson('PUT', path, body, headers);
  }

  patch(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.sendJson('PATCH', path, body, headers);
  }

  delete(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('DELETE', path, { headers });
  }

  duplicate(source: string, target: string): Promise<Answer> {
    return this.post('/training/tasks/duplication', { task_id_old: source, task_id: target });
  }

  /** Creates the task with this data set, of type 1 where nothing else is said. */
  importCoco(task: string, dataSet: unknown, query = 'task_type=1'): Promise<Answer> {
    const body = typeof dataSet === 'string' || Buffer.isBuffer(dataSet) ? dataSet : JSON.stringify(dataSet);
    const headers = { 'Content-Type': 'application/json' };
    return this.send('PUT', `/training/tasks/${task}/coco?${query}`, { body, headers });
  }

  async exportCoco(task: string): Promise<Record<string, unknown>> {
    return (await this.get(`/training/tasks/${task}/coco`)).body;
  }

  private sendJson(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
  ): Promise<Answer> {
    return this.send(method, path, {
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', ...headers },
    });
  }

  async send(method: string, path: string, init: Omit<RequestInit, 'method'> = {}): Promise<Answer> {
    const response = await fetch(this.url + path, { ...init, method });
    const text = await response.text();
    const isJson = response.headers.get('Content-Type')?.startsWith('application/json') === true;
    const body = isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {};
    return { status: response.status, headers: response.headers, text, body };
  }
}

let lastTask = 2018102439652800000n;

/** An id that no other call of this test file answers. */
export function newTaskId(): string {
  return String(++lastTask);
}
