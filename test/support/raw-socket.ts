import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { PlainAnswer } from './plain-request';

/** Sends bytes as they are, and answers all that came back until the server closed; the client's side stays open. */
export async function exchange(url: string, bytes: string | Buffer): Promise<PlainAnswer[]> {
  const socket = await open(url);
  socket.write(bytes);
  return parseAnswers(await received(socket));
}

/** The same with the client's side closed behind the last byte. */
export async function exchangeAndEnd(url: string, bytes: string | Buffer): Promise<PlainAnswer[]> {
  const socket = await open(url);
  socket.end(bytes);
  return parseAnswers(await received(socket));
}

export async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

async function received(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Enough of HTTP for our own answers, which have a length or are chunked. */
function parseAnswers(bytes: Buffer): PlainAnswer[] {
  const answers: PlainAnswer[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) throw new Error(`no HTTP answer: ${rest.toString('latin1')}`);
    const [statusLine = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n');
    const headers = Object.fromEntries(lines.map(parseHeader));
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
    const body = rest.subarray(end + 4);
    const length = status < 200 ? 0 : Number(headers['content-length'] ?? chunkedLength(body));
    if (Number.isNaN(status) || body.length < length)
      throw new Error(`a cut answer: ${rest.toString('latin1')}`);
    answers.push({ status, headers, text: body.subarray(0, length).toString('utf8') });
    rest = body.subarray(length);
  }
  return answers;
}

function parseHeader(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

function chunkedLength(body: Buffer): number {
  const end = body.indexOf('0\r\n\r\n');
  if (end < 0) throw new Error('a chunked answer without its end');
  return end + 5;
}
