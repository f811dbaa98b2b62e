/**
 * One subscription: the messages that have arrived and have not been read, within its limits, and the number of messages that it missed.
 *
 *   beginning ──SUBSCRIBED──▶ open ──▶ ended
 *       └── refused, closed, the thread stops ──▶ ended
 *
 * The reactor numbers the messages of a topic. A subscription should receive every number from its first one on. A message that is dropped,
 * here or on the way, leaves a gap between two numbers, and `missed` is the sum of these gaps. It is therefore exact without any other
 * bookkeeping.
 */
import { Deque } from '../../wire/deque.ts';
import { TopicError, TopicErrorCode } from './error.ts';

/** What happens to a message that arrives at a full subscription. */
export type WhenFull = 'drop-oldest' | 'drop-newest' | 'close';

export interface SubscribeOptions {
  /** Messages that may wait for the subscriber. Default 256. */
  readonly capacity?: number;
  /** Default `drop-oldest`. `close`: the subscription ends with `SLUICE_TOPIC_MISSED` after the messages that it has received. */
  readonly whenFull?: WhenFull;
}

/** Messages of a topic, in order, from the moment when the reactor registered the subscription. */
export interface Subscription<T> extends AsyncIterableIterator<T, undefined>, AsyncDisposable {
  /** The number of messages that this subscription should have received and did not: exact up to the last one that arrived. */
  readonly missed: number;
  /**
   * Resolves when the subscription has begun: it receives what is published from then on.
   * @throws TopicError (as a rejection) `SLUICE_TOPIC_OVERLOADED`, `SLUICE_TOPIC_STOPPED`
   */
  readonly ready: Promise<void>;
  /** Ends the subscription and drops the messages that have not been read. Idempotent. Leaving the loop or the scope does the same. */
  close(): void;
}

/** What a subscription needs from its topic. */
export interface SubscriptionOwner {
  readonly topic: string;
  readonly maxBytes: number;
  /** @throws TopicError */
  decode(payload: Buffer): unknown;
  /** The subscription has ended and wants no more messages. */
  leave(subscription: TopicSubscription): void;
}

interface Waiting {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

const DONE = { done: true, value: undefined } as const;

export class TopicSubscription implements Subscription<unknown> {
  readonly ready: Promise<void>;
  readonly #owner: SubscriptionOwner;
  readonly #capacity: number;
  readonly #whenFull: WhenFull;
  readonly #begun = Promise.withResolvers<void>();
  readonly #messages = new Deque<Buffer>();
  readonly #waiting: Waiting[] = [];
  #bytes = 0;
  #missed = 0;
  /** The number of the next message, unless some are missed. */
  #next = 0;
  #state: 'beginning' | 'open' | 'ended' = 'beginning';
  /** The reader gets it once, after the messages that have arrived. */
  #failure: TopicError | null = null;

  constructor(owner: SubscriptionOwner, capacity: number, whenFull: WhenFull) {
    this.#owner = owner;
    this.#capacity = capacity;
    this.#whenFull = whenFull;
    this.ready = this.#begun.promise;
    // A subscriber that does not look at `ready` gets the failure from `next`.
    this.ready.catch(() => undefined);
  }

  get missed(): number {
    return this.#missed;
  }

  /** True if `next` can answer at once. */
  get hasWaiting(): boolean {
    return this.#messages.length > 0 || this.#state === 'ended';
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    const payload = this.#messages.shift();
    if (payload !== undefined) {
      this.#bytes -= payload.length;
      try {
        return Promise.resolve({ done: false, value: this.#owner.decode(payload) });
      } catch (error) {
        return Promise.reject(error);
      }
    }
    if (this.#state === 'ended') {
      const failure = this.#failure;
      this.#failure = null;
      return failure === null ? Promise.resolve(DONE) : Promise.reject(failure);
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    this.close();
    return Promise.resolve(DONE);
  }

  close(): void {
    this.#messages.clear();
    this.#bytes = 0;
    this.#failure = null;
    this.#end(null);
  }

  // ---- the thread's side

  /** @param sequence the number of the first message for this subscription */
  begin(sequence: number): void {
    if (this.#state !== 'beginning') return;
    this.#state = 'open';
    this.#next = sequence;
    this.#begun.resolve();
  }

  /** The payload is shared with the thread's other subscriptions: each decodes a value of its own. */
  arrive(sequence: number, payload: Buffer): void {
    if (this.#state !== 'open') return;
    const gap = (sequence - this.#next) | 0;
    // The message was published before the subscription began, and was still in flight.
    if (gap < 0) return;
    this.#next = (sequence + 1) >>> 0;
    if (gap > 0) {
      this.#missed += gap;
      if (this.#whenFull === 'close') {
        this.#missed++;
        this.#overflow();
        return;
      }
    }
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#keep(payload);
      return;
    }
    try {
      waiting.resolve({ done: false, value: this.#owner.decode(payload) });
    } catch (error) {
      waiting.reject(error);
    }
  }

  /** @param sequence the number of the last dropped message, if no later one has arrived */
  lose(sequence: number): void {
    if (this.#state !== 'open') return;
    const gap = (sequence + 1 - this.#next) | 0;
    if (gap <= 0) return;
    this.#next = (sequence + 1) >>> 0;
    this.#missed += gap;
    if (this.#whenFull === 'close') this.#overflow();
  }

  #keep(payload: Buffer): void {
    if (this.#isFullFor(payload)) {
      if (this.#whenFull !== 'drop-oldest') {
        this.#missed++;
        if (this.#whenFull === 'close') this.#overflow();
        return;
      }
      while (this.#isFullFor(payload)) {
        this.#bytes -= (this.#messages.shift() as Buffer).length;
        this.#missed++;
      }
    }
    this.#messages.push(payload);
    this.#bytes += payload.length;
  }

  #isFullFor({ length }: Buffer): boolean {
    return this.#messages.length >= this.#capacity || this.#bytes + length > this.#owner.maxBytes;
  }

  #overflow(): void {
    const { topic } = this.#owner;
    const message = `${topic}: expected its subscriber to read what came, and ${this.#missed} messages were lost`;
    this.#end(new TopicError(TopicErrorCode.Missed, message));
  }

  /** @param failure null: the subscription ends without an error */
  end(failure: TopicError | null): void {
    this.#end(failure);
  }

  #end(failure: TopicError | null): void {
    if (this.#state === 'ended') return;
    const hadBegun = this.#state === 'open';
    this.#state = 'ended';
    if (!hadBegun) this.#begun.reject(failure ?? closedEarly(this.#owner.topic));
    const [first, ...others] = this.#waiting.splice(0);
    if (first === undefined) this.#failure = failure;
    else if (failure === null) first.resolve(DONE);
    else first.reject(failure);
    for (const { resolve } of others) resolve(DONE);
    this.#owner.leave(this);
  }
}

function closedEarly(topic: string): TopicError {
  return new TopicError(TopicErrorCode.Stopped, `${topic}: the subscription was closed before it had begun`);
}
