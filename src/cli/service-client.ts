import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { errors, request, type Dispatcher } from 'undici';

/** How often a request is repeated that the service calls worth repeating. */
const REPEATS_MAX = 5;

/** The service answered with a failure. */
export class ServiceError extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    msg: string,
    readonly retryAfterS: number | undefined,
  ) {
    super(`${msg} (code ${String(code)})`);
  }

  get isWorthRepeating(): boolean {
    return this.retryAfterS !== undefined;
  }
}

/** Nobody answers. */
export class ServiceUnreachable extends Error {}

/** Whether the connection ended within an answer that was being read. */
export function isCutOff(fault: unknown): fault is Error {
  return (
    fault instanceof errors.UndiciError || (fault as NodeJS.ErrnoException | null)?.code === 'ECONNRESET'
  );
}

export interface ServiceRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly json?: unknown;
  readonly upload?: Readable;
  readonly uploadBytes?: number | undefined;
}

/** Speaks HTTP with a running service. */
export class ServiceClient {
  constructor(private readonly url: string) {}

  /** @throws ServiceError, ServiceUnreachable */
  async json<T>(query: ServiceRequest): Promise<T> {
    const { body } = await this.send(query);
    return (await this.whole(body.json())) as T;
  }

  /**
   * Sends again what is safe to send again, as long as the service says that it is worth it.
   * @throws ServiceError, ServiceUnreachable
   */
  async sendRepeating(
    query: ServiceRequest,
    onWait: (error: ServiceError) => void,
  ): Promise<Dispatcher.ResponseData> {
    for (let repeats = 0; ; repeats++) {
      try {
        return await this.send(query);
      } catch (error) {
        if (!(error instanceof ServiceError) || error.retryAfterS === undefined || repeats >= REPEATS_MAX)
          throw error;
        onWait(error);
        await sleep(error.retryAfterS * 1_000);
      }
    }
  }

  /** @throws ServiceError, ServiceUnreachable */
  async send({ method, path, json, upload, uploadBytes }: ServiceRequest): Promise<Dispatcher.ResponseData> {
    const response = await this.whole(
      request(this.url + path, {
        method,
        headers: {
          'Accept-Language': 'en',
          'Content-Type': 'application/json',
          // A file that is too large is then refused before it is sent.
          ...(uploadBytes !== undefined && { 'Content-Length': String(uploadBytes) }),
        },
        body: upload ?? (json === undefined ? null : JSON.stringify(json)),
        // A copy or an import of a large task takes as long as it takes.
        headersTimeout: 0,
        bodyTimeout: 0,
      }),
    );
    if (response.statusCode >= 400) throw await toServiceError(response);
    return response;
  }

  private async whole<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (fault) {
      throw new ServiceUnreachable(
        `No service answers at ${this.url} (${reasonOf(fault)}): start it with npm start, or name its address by --url.`,
        { cause: fault },
      );
    }
  }
}

async function toServiceError({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<ServiceError> {
  const text = await body.text();
  const { code, msg } = parseFailure(text);
  const retryAfter = headers['retry-after'];
  return new ServiceError(statusCode, code, msg, retryAfter === undefined ? undefined : Number(retryAfter));
}

/** Something else than our service may listen there. */
function parseFailure(text: string): { code: number; msg: string } {
  try {
    const { code, msg } = JSON.parse(text) as { code?: unknown; msg?: unknown };
    if (typeof code === 'number' && typeof msg === 'string') return { code, msg };
  } catch {
    // No JSON: shown as it is.
  }
  return { code: 0, msg: `an unexpected answer: ${text.slice(0, 200)}` };
}

function reasonOf(fault: unknown): string {
  return fault instanceof Error ? ((fault as NodeJS.ErrnoException).code ?? fault.message) : String(fault);
}
