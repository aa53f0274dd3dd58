import type { NetConnectOpts, Socket } from 'node:net';
import { LoopbackProxy } from '../../test/support/loopback-proxy';

/** Understands one connection. */
export interface Wire {
  request(bytes: Buffer): void;
  answer(bytes: Buffer): void;
}

/** Hands on all that passes, and lets it be read. */
export class RecordingProxy extends LoopbackProxy {
  private constructor(
    target: NetConnectOpts,
    private readonly wire: () => Wire,
  ) {
    super(target);
  }

  /** @param wire is called for each connection */
  static open(target: NetConnectOpts, wire: () => Wire): Promise<RecordingProxy> {
    return new RecordingProxy(target, wire).listen();
  }

  protected override forward(client: Socket, server: Socket): void {
    const wire = this.wire();
    client.on('data', (bytes) => {
      wire.request(bytes);
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      wire.answer(bytes);
      client.write(bytes);
    });
  }
}
