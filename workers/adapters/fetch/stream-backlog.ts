/**
 * What a response's stream holds for its reader while the peer takes nothing. A source that enqueues without looking at `desiredSize`
 * would fill the thread's memory, and the platform tells nobody but the source how much there is. So the source's controller counts what is
 * enqueued from the time when the response is sent; what was there before was made with the response.
 */
import { HostError } from '../../exchange/errors.ts';

interface Controller {
  enqueue(chunk?: unknown): void;
}
interface State {
  readonly controller?: Controller;
}

/** Where Node keeps a stream's state, with the controller that its source has. A Node that keeps it elsewhere has no limit here. */
const STATE = findState();

/** The member has no public name, so a stream that is made for it shows which it is. */
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
  /** Enqueued, and not read yet. */
  #bytes = 0;
  #error: HostError | null = null;

  /** @param onOver hears once of more than so many bytes; what is enqueued from then on is dropped */
  constructor(stream: ReadableStream, maxBytes: number, onOver: (error: HostError) => void) {
    const controller = STATE && stateOf(stream, STATE)?.controller;
    if (controller === undefined) return;
    const { enqueue } = controller;
    controller.enqueue = (chunk) => {
      if (this.#error !== null) return;
      // A stream of bytes takes their buffer along.
      const { byteLength = 0 } = (chunk ?? {}) as { readonly byteLength?: number };
      enqueue.call(controller, chunk);
      this.#bytes += byteLength;
      // One piece may be of any size, as it is there already.
      if (this.#bytes <= maxBytes || this.#bytes === byteLength) return;
      this.#error = tooMuch(maxBytes);
      onOver(this.#error);
    };
  }

  /** What the stream has been cut off for; null: nothing. */
  get error(): HostError | null {
    return this.#error;
  }

  /** A piece has been read. What was enqueued before the count began is read first, so the count is never too high. */
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
