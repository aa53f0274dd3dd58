import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** A request as it goes over the wire: any method, path, header or body, also those that `fetch` mends or forbids. */
export interface PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface PlainAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export async function sendPlain(
  url: string,
  { method, path, headers = {}, body }: PlainRequest,
): Promise<PlainAnswer> {
  const { hostname, port } = new URL(url);
  const sent = request({ hostname, port, method, path, headers: { ...lengthOf(body, headers), ...headers } });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: await text(answer) };
}

/** Without one of these Node would not send the body of a GET. */
function lengthOf(
  body: string | Buffer | undefined,
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  if (body === undefined || 'Transfer-Encoding' in headers) return {};
  return { 'Content-Length': String(Buffer.byteLength(body)) };
}
