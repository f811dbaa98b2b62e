/**
 * The streamed inputs of a call, in the thread that makes it. An argument is a streamed input if it is an async
 * iterable: an async generator, a ReadableStream, the streamed reply of another call. Its iterator is created when
 * the method begins to read, and returned when the method stops reading or the call is over.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { How } from '../../wire/actors/messages.ts';
import { PayloadError, type PayloadLimits } from '../../wire/payload/forms.ts';
import { freeEncoder } from './payloads.ts';
import { SentStream, type StreamSink } from './sent-stream.ts';
import type { ThreadLink } from './thread-link.ts';

/** What the inputs need from their call. */
export interface FedCall {
  /** True until the call settles. */
  readonly isOpen: boolean;
  /** Called when an item is not plain data, so the call fails. */
  failFor(error: PayloadError): void;
  /** Sends the next item of an input, or how the input ended. */
  input(input: number, how: How, bytes: Uint8Array, length: number): void;
}

const NOTHING = new Uint8Array(0);

function isStream(value: unknown): value is AsyncIterable<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === 'function';
  } catch {
    // A trap or a getter has thrown, so the argument is no stream. The encoder treats it as data.
    return false;
  }
}

/** The positions of the arguments that are streams; null: no argument is one. */
export function placesOfStreams(args: readonly unknown[]): number[] | null {
  let places: number[] | null = null;
  for (let place = 0; place < args.length; place++) {
    if (!isStream(args[place])) continue;
    places ??= [];
    places.push(place);
  }
  return places;
}

export class SentInputs {
  readonly #thread: ThreadLink;
  readonly #limits: PayloadLimits;
  readonly #graceMs: number;
  readonly #iterables: readonly AsyncIterable<unknown>[];
  readonly #places: readonly number[];
  readonly #streams: (SentStream | undefined)[] = [];
  /** Iterators run in the context of the call, not in the context of the turn that receives their credit. */
  readonly #within: <R>(run: () => R) => R = AsyncLocalStorage.snapshot();
  #call: FedCall | null = null;

  constructor(
    thread: ThreadLink,
    args: readonly unknown[],
    places: readonly number[],
    limits: PayloadLimits,
    graceMs: number,
  ) {
    this.#thread = thread;
    this.#places = places;
    this.#iterables = places.map((place) => args[place] as AsyncIterable<unknown>);
    this.#limits = limits;
    this.#graceMs = graceMs;
  }

  opened(call: FedCall): void {
    this.#call = call;
  }

  /** The method accepts this many more items; 0: no more at all. */
  want(input: number, items: number): void {
    const stream = this.#streams[input];
    if (items === 0) stream?.giveUp(this.#graceMs);
    else if (stream !== undefined) stream.grant(items);
    else this.#begin(input, items);
  }

  #begin(input: number, items: number): void {
    const iterable = this.#iterables[input];
    if (iterable === undefined) return;
    const sink = this.#sinkOf(input);
    let iterator: AsyncIterator<unknown>;
    try {
      iterator = this.#within(() => iterable[Symbol.asyncIterator]());
    } catch (error) {
      sink.fail(error);
      return;
    }
    const stream = new SentStream(sink, iterator, items);
    this.#streams[input] = stream;
    stream.ask();
  }

  /** Called when the call has settled. An iterable that was never read is left untouched, because it belongs to the caller. */
  giveUp(): void {
    for (const stream of this.#streams) stream?.giveUp(this.#graceMs);
  }

  #sinkOf(input: number): StreamSink {
    const thread = this.#thread;
    return {
      get isLate() {
        return thread.isLate;
      },
      setTimer: (callback, afterMs) => thread.setTimer(callback, afterMs),
      clearTimer: (timer) => thread.clearTimer(timer),
      within: this.#within,
      item: (value) => {
        const encoder = freeEncoder();
        const encode = () => encoder.encode(value, `arguments[${this.#places[input]}] item`, this.#limits);
        if (!this.#encoded(encode)) return false;
        this.#send(input, How.Value, encoder.bytes, encoder.length);
        return true;
      },
      end: () => this.#send(input, How.Done, NOTHING, 0),
      fail: (error) => {
        const encoder = freeEncoder();
        if (!this.#encoded(() => encoder.encodeThrown(error, this.#limits))) return;
        this.#send(input, How.Threw, encoder.bytes, encoder.length);
      },
    };
  }

  #encoded(encode: () => void): boolean {
    try {
      encode();
      return true;
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      this.#call?.failFor(error);
      return false;
    }
  }

  #send(input: number, how: How, bytes: Uint8Array, length: number): void {
    const call = this.#call;
    if (call?.isOpen) call.input(input, how, bytes, length);
  }
}
