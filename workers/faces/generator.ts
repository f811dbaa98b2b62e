/**
 * The generator face (docs/sgi.md, rule 12.2): an async generator yields heads, chunks and trailers. The face asks for the next item when
 * the peer's credit has allowed the last one to be sent.
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

type Items = AsyncGenerator<Yielded, void, void>;

export function fromGenerator(generator: GeneratorApplication): Application {
  return (exchange) => drive(generator(exchange), exchange);
}

/** One function, because each further async function would cost every response a promise and some microtasks. */
async function drive(items: Items, exchange: Exchange): Promise<void> {
  if (typeof items?.next !== 'function' || typeof items[Symbol.asyncIterator] !== 'function') {
    throw valueInvalid('the application to give an async generator', items);
  }
  let start: Start | null = null;
  try {
    for (let result = await items.next(); result.done !== true; result = await items.next()) {
      const item = result.value;
      if (start === null) {
        if (!isHead(item)) throw isChunk(item) || isTrailers(item) ? tooEarly(item) : noItem(item);
        if (item.status > 199) start = new Start(exchange, item);
        else exchange.inform(item.status, item.fields);
      } else if (isChunk(item)) {
        if (start.take(item)) continue;
        const sent = start.send();
        if (sent !== undefined) await sent;
        await exchange.write(item);
      } else {
        await start.send();
        if (!isTrailers(item)) throw isHead(item) ? secondHead(item) : noItem(item);
        exchange.end(item.trailers);
        await mustBeOver(items);
        return;
      }
    }
    // If no final head was yielded, the host answers.
    if (start === null || start.endHeld()) return;
    await start.send();
    exchange.end();
  } catch (error) {
    start?.sendHeld();
    // The generator may be suspended at a `yield`; `return` runs its `finally` blocks.
    await items.return();
    throw error;
  }
}

/**
 * The head and the first chunk. They are held until the microtasks of the turn have run, so that the response of a generator that waits
 * for nothing goes in one message.
 */
class Start {
  readonly #exchange: Exchange;
  readonly #head: YieldedHead;
  #chunk: Uint8Array | string | null = null;
  #state: 'held' | 'sent' = 'held';
  /** Resolves when the held head has been sent. */
  #sent: Promise<void> | undefined;

  constructor(exchange: Exchange, head: YieldedHead) {
    this.#exchange = exchange;
    this.#head = head;
    process.nextTick(sendHeld, this);
  }

  /** Holds the chunk, if it is the first and the head is still held. */
  take(chunk: Uint8Array | string): boolean {
    if (this.#state === 'sent' || this.#chunk !== null) return false;
    this.#chunk = chunk;
    return true;
  }

  /** @returns false: something has been sent, or there is no content to send with the head */
  endHeld(): boolean {
    if (this.#state === 'sent' || this.#chunk === null) return false;
    this.#state = 'sent';
    this.#exchange.respond(this.#head.status, this.#head.fields, this.#chunk);
    return true;
  }

  /** Sends what is held. The caller must await the returned promise, which rejects if something could not be sent. */
  send(): Promise<void> | undefined {
    this.sendHeld();
    const sent = this.#sent;
    this.#sent = undefined;
    return sent;
  }

  /** Never throws. */
  sendHeld(): void {
    if (this.#state === 'sent') return;
    this.#state = 'sent';
    this.#sent = this.#trySend();
    // The generator may be busy with its next item.
    this.#sent.catch(() => undefined);
  }

  async #trySend(): Promise<void> {
    this.#exchange.respond(this.#head.status, this.#head.fields);
    if (this.#chunk !== null) await this.#exchange.write(this.#chunk);
  }
}

function sendHeld(start: Start): void {
  start.sendHeld();
}

async function mustBeOver(items: Items): Promise<void> {
  const { value, done } = await items.next();
  if (done === true) return;
  throw new HostError(
    'SLUICE_RESPONSE_ENDED',
    `expected nothing after the trailers, the generator yielded ${wordFor(value)}`,
  );
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
