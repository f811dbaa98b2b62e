/** A write to a Node response as a promise: whoever patched `write` may have dropped its callback, but answers true or false. */
import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';

export function writtenTo(
  res: ServerResponse | Http2ServerResponse,
  chunk: Uint8Array | string,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return refusedWrite(signal.reason);
  // An empty piece means nothing to some streams and an end to others.
  if (chunk.length === 0) return Promise.resolve();
  if ((res as ServerResponse).write(chunk)) return Promise.resolve();
  const waiting = waitingFor(res, signal);
  const written = Promise.withResolvers<void>();
  waiting.push(written);
  return harmless(written.promise);
}

type Waiting = PromiseWithResolvers<void>[];
const waitingByResponse = new WeakMap<object, Waiting>();

/**
 * Who waits for room. There is one listener for all of them, and for good: middleware that patches `on` to listen elsewhere, as
 * `compression` does, need not have patched `off`.
 */
function waitingFor(res: ServerResponse | Http2ServerResponse, signal: AbortSignal): Waiting {
  const known = waitingByResponse.get(res);
  if (known !== undefined) return known;
  const waiting: Waiting = [];
  waitingByResponse.set(res, waiting);
  const settle = () => {
    for (const { resolve, reject } of waiting.splice(0)) {
      if (signal.aborted) reject(signal.reason);
      else resolve();
    }
  };
  res.on('drain', settle);
  res.on('close', settle);
  signal.addEventListener('abort', settle);
  return waiting;
}

/** A misuse that nobody hears is a fault of the application; a cut is none. */
export function refusedWrite(error: unknown): Promise<void> {
  const refused = Promise.reject(error);
  return (error as { code?: unknown }).code === 'SLUICE_EXCHANGE_CLOSED' ? harmless(refused) : refused;
}

/** Who does not wait for a write does not hear that it was cut off, and its thread must not end for that (docs/sgi.md, rule 2.7). */
function harmless(written: Promise<void>): Promise<void> {
  written.catch(() => undefined);
  return written;
}
