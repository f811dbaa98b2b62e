/** A request body as a ReadableStream that pulls a piece when it is asked for one, and holds none ahead. */
import type { ExchangeBody } from '../../gateway.ts';

export function streamOf(body: ExchangeBody): ReadableStream<Uint8Array> {
  let reader: AsyncIterator<Uint8Array> | null = null;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        reader ??= body[Symbol.asyncIterator]();
        const { value, done } = await reader.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await reader?.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
