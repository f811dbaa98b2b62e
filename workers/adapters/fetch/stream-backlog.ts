/**
 * Limits what a response's stream holds while the peer takes nothing. A source that enqueues without regard to `desiredSize` would fill the
 * thread's memory, and the platform tells only the source how much the stream holds. This class therefore counts in the source's
 * controller what is enqueued after the response is being sent. Earlier chunks were made with the response and do not count.
 */
import { HostError } from '../../exchange/errors.ts';

interface Controller {
  enqueue(chunk?: unknown): void;
}
interface State {
  readonly controller?: Controller;
}

/** The symbol under which Node keeps a stream's state, with its source's controller. On a Node without it there is no limit. */
const STATE = findState();

/** The symbol is private, so a probe stream shows which one it is. */
function findState(): symbol | undefined {
  let own: Controller | undefined;
  const probe = new ReadableStream({
    start(controller) {
      own = controller;
    },
  });
  return Object.getOwnPropertySymbols(probe).find((symbol) => stateOf(probe, symbol)?.controller === own);
}

function stateOf(stream: ReadableStream, symbol: symbol): State | null | undefined {
  return (stream as never as { readonly [symbol: symbol]: State | null | undefined })[symbol];
}

export class StreamBacklog {
  /** Bytes that were enqueued and not read yet. */
  #bytes = 0;
  #error: HostError | null = null;

  /** @param onOver is called once when more than `maxBytes` wait; later chunks are dropped */
  constructor(stream: ReadableStream, maxBytes: number, onOver: (error: HostError) => void) {
    const controller = STATE && stateOf(stream, STATE)?.controller;
    if (controller === undefined) return;
    const { enqueue } = controller;
    controller.enqueue = (chunk) => {
      if (this.#error !== null) return;
      // A byte stream transfers the chunk's buffer, so its length is read first.
      const { byteLength = 0 } = (chunk ?? {}) as { readonly byteLength?: number };
      enqueue.call(controller, chunk);
      this.#bytes += byteLength;
      // A single piece may have any size, because it is in memory already.
      if (this.#bytes <= maxBytes || this.#bytes === byteLength) return;
      this.#error = tooMuch(maxBytes);
      onOver(this.#error);
    };
  }

  /** The error that cut the stream off; null if there is none. */
  get error(): HostError | null {
    return this.#error;
  }

  /** A piece has been read. Chunks from before the count are read first, so the count is never too high. */
  taken(bytes: number): void {
    this.#bytes = Math.max(0, this.#bytes - bytes);
  }
}

function tooMuch(maxBytes: number): HostError {
  return new HostError(
    'SLUICE_WRITE_BACKLOG',
    'expected a source of a ReadableStream that enqueues when it is pulled, or waits while `controller.desiredSize` is 0 or less: ' +
      `more than ${maxBytes} bytes wait to be sent`,
  );
}
