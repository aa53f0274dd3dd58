import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

/** A connection that HTTP is written to byte by byte. */
export class RawConnection {
  /** All that came until the other side closed it. */
  readonly closed: Promise<string>;

  private constructor(private readonly socket: Socket) {
    this.closed = text(socket);
  }

  static async to(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  write(bytes: string): void {
    this.socket.write(bytes);
  }
}
