/**
 * Writes to a Node response with a promise, and sends its head before the body comes. A patched `write` may drop its callback, but it
 * returns true or false.
 */
import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';

export function writtenTo(
  res: ServerResponse | Http2ServerResponse,
  chunk: Uint8Array | string,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return refusedWrite(signal.reason);
  // Some streams ignore an empty piece and others take it for the end.
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
 * The writes that wait for room. One permanent listener serves all of them, because middleware that patches `on`, such as `compression`,
 * need not patch `off`.
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

/** A rejection for a misuse stays unhandled unless the application handles it. A cut is no fault, so its rejection is marked handled. */
export function refusedWrite(error: unknown): Promise<void> {
  const refused = Promise.reject(error);
  return (error as { code?: unknown }).code === 'SLUICE_EXCHANGE_CLOSED' ? harmless(refused) : refused;
}

/** Marks a rejection as handled: an application that does not await a write must not lose its thread to a cut (docs/sgi.md, rule 2.7). */
function harmless(written: Promise<void>): Promise<void> {
  written.catch(() => undefined);
  return written;
}

/** Sends the head in the next tick. As with Node's own first write, a response that is cut off in the same turn has sent nothing. */
export function flushSoon(res: ServerResponse): void {
  process.nextTick(flush, res);
}

function flush(res: ServerResponse): void {
  if (!res.destroyed && !res.writableEnded) res.flushHeaders();
}
