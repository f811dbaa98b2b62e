/**
 * The generator face (docs/sgi.md, rule 12.2): an async generator yields heads, chunks and trailers. It is asked for the next item when
 * the peer's credit has let the last one go.
 */
import { types } from 'node:util';
import { HostError } from '../exchange/errors.ts';
import { nameOf, valueInvalid } from '../exchange/values.ts';
import type {
  Application,
  Exchange,
  GeneratorApplication,
  Yielded,
  YieldedHead,
  YieldedTrailers,
} from '../gateway.ts';

/**
 * A generator that does not wait for anything yields its next item within so many microtasks. The head and the first chunk are held for
 * that long, so that a small response is sent in one message. If the generator waits for something, they are sent without it.
 */
const TASKS_AT_HAND = 4;

type Items = AsyncGenerator<Yielded, void, void>;
type Result = IteratorResult<Yielded, void>;

export function fromGenerator(generator: GeneratorApplication): Application {
  return (exchange) => drive(generator(exchange), exchange);
}

async function drive(items: Items, exchange: Exchange): Promise<void> {
  if (typeof items?.next !== 'function' || typeof items[Symbol.asyncIterator] !== 'function') {
    throw valueInvalid('the application to give an async generator', items);
  }
  try {
    const head = await informAndHead(items, exchange);
    if (head !== null) await respond(items, exchange, head);
  } catch (error) {
    // The generator may be suspended at a `yield`; `return` runs its `finally` blocks.
    await items.return();
    throw error;
  }
}

/** Sends interim responses. Null if the generator ended without a final head; the host then answers. */
async function informAndHead(items: Items, exchange: Exchange): Promise<YieldedHead | null> {
  for (;;) {
    const { value, done } = await items.next();
    if (done === true) return null;
    if (!isHead(value)) throw isChunk(value) || isTrailers(value) ? tooEarly(value) : noItem(value);
    if (value.status > 199) return value;
    exchange.inform(value.status, value.fields);
  }
}

async function respond(items: Items, exchange: Exchange, { status, fields }: YieldedHead): Promise<void> {
  let pending = items.next();
  let next = await atHand(pending);
  if (next !== null && next.done !== true && isChunk(next.value)) {
    const chunk = next.value;
    pending = items.next();
    next = await atHand(pending);
    if (next?.done === true) {
      exchange.respond(status, fields, chunk);
      return;
    }
    exchange.respond(status, fields);
    await exchange.write(chunk);
  } else {
    exchange.respond(status, fields);
  }
  for (let result = await pending; result.done !== true; result = await items.next()) {
    const item = result.value;
    if (isChunk(item)) {
      await exchange.write(item);
    } else if (isTrailers(item)) {
      exchange.end(item.trailers);
      await mustBeOver(items);
      return;
    } else {
      throw isHead(item) ? secondHead(item) : noItem(item);
    }
  }
  exchange.end();
}

async function mustBeOver(items: Items): Promise<void> {
  const { value, done } = await items.next();
  if (done === true) return;
  throw new HostError(
    'SLUICE_RESPONSE_ENDED',
    `expected nothing after the trailers, the generator yielded ${wordFor(value)}`,
  );
}

/** The result of a promise that settles within a few microtasks, otherwise null. The caller still handles its rejection. */
async function atHand(promise: Promise<Result>): Promise<Result | null> {
  let settled: Result | null = null;
  promise.then(
    (result) => {
      settled = result;
    },
    () => undefined,
  );
  for (let i = 0; i < TASKS_AT_HAND && settled === null; i++) await undefined;
  return settled;
}

function tooEarly(item: Uint8Array | string | YieldedTrailers): HostError {
  return new HostError(
    'SLUICE_RESPONSE_NOT_STARTED',
    `expected a head first, the generator yielded ${wordFor(item)}`,
  );
}

function secondHead({ status }: YieldedHead): HostError {
  return new HostError(
    'SLUICE_RESPONSE_STARTED',
    `expected one final head, the generator yielded another, ${status}`,
  );
}

function noItem(item: unknown): HostError {
  return new HostError(
    'SLUICE_ITEM_INVALID',
    `expected a head (an object with a status), a chunk (a Uint8Array or a string) or trailers, the generator yielded ${nameOf(item)}`,
  );
}

function isChunk(item: unknown): item is Uint8Array | string {
  return typeof item === 'string' || types.isUint8Array(item);
}

function isHead(item: unknown): item is YieldedHead {
  return typeof (item as YieldedHead | null | undefined)?.status === 'number';
}

function isTrailers(item: unknown): item is YieldedTrailers {
  return typeof (item as YieldedTrailers | null | undefined)?.trailers === 'object';
}

function wordFor(item: unknown): string {
  if (isChunk(item)) return `a chunk of ${item.length}`;
  if (isTrailers(item)) return 'trailers';
  return isHead(item) ? `a head, ${item.status}` : nameOf(item);
}
