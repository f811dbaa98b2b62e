/** A client that does nothing wrong: one request after the other on a connection of its own. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { get, preface, settings, settingsAck, windowUpdate } from '../http2/frames.ts';
import { Http2Client } from './http2-client.ts';

export class HonestClient {
  readonly #client: Http2Client;
  #id = -1;

  private constructor(client: Http2Client) {
    this.#client = client;
  }

  static async connect(socket: Socket): Promise<HonestClient> {
    await once(socket, 'connect');
    socket.setNoDelay(true);
    // As much as the connection window takes: on a fast machine there are enough requests to use up the first
    // 64 KiB.
    socket.write(Buffer.concat([preface, settings(), settingsAck, windowUpdate(0, 2 ** 31 - 1 - 65_535)]));
    return new HonestClient(new Http2Client(socket));
  }

  end(): void {
    this.#client.socket.destroy();
  }

  /** @throws Error for a wrong response. Hangs if there is no response, which the watchdog detects. */
  async request(): Promise<void> {
    this.#id += 2;
    const { socket, responses } = this.#client;
    socket.write(get(this.#id));
    while (responses.get(this.#id)?.ended !== true) {
      if (this.#client.isClosed) throw new Error('the honest client lost its connection');
      await this.#client.news();
    }
    const response = responses.get(this.#id);
    if (response?.status !== 200 || !response.content.startsWith('GET / ')) {
      throw new Error(`the honest client was answered ${JSON.stringify(response)}`);
    }
    responses.delete(this.#id);
  }
}
