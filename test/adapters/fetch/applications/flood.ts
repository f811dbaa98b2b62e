/** Streams whose sources look at nothing: what they enqueue waits in the thread. */
import { threadId } from 'node:worker_threads';
import { SIGNALS_FIELD, Signals } from '../../../server/signals.ts';

const PIECE_BYTES = 64 * 1024;

type Controller = ReadableStreamDefaultController | ReadableByteStreamController;

export default {
  fetch(request: Request): Response {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/thread') return new Response(String(threadId));
    const pieces = Number(searchParams.get('pieces'));
    if (pathname === '/one') return new Response(oneOf(pieces * PIECE_BYTES));
    const signals = new Signals(request.headers.get(SIGNALS_FIELD) ?? '');
    const flood = async (controller: Controller) => {
      const asked = signals.until('flood');
      controller.enqueue(new Uint8Array(PIECE_BYTES));
      signals.tell('begun');
      await asked;
      for (let n = 1; n < pieces; n++) controller.enqueue(new Uint8Array(PIECE_BYTES));
      signals.tell('flooded');
      if (pieces < 16) controller.close();
    };
    const cancel = () => {
      signals.tell('over');
      signals.close();
    };
    if (pathname === '/bytes') {
      const start = (controller: ReadableByteStreamController) => void flood(controller);
      return new Response(new ReadableStream({ type: 'bytes', start, cancel }));
    }
    const start = (controller: ReadableStreamDefaultController) => void flood(controller);
    return new Response(new ReadableStream({ start, cancel }));
  },
};

/** Made when somebody asks for it. */
function oneOf(bytes: number): ReadableStream {
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(new Uint8Array(bytes));
      controller.close();
    },
  });
}
