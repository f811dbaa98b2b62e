/**
 * One subscription: the messages that have arrived and were not read yet, within its bounds, and the number of those that it missed.
 *
 *   beginning ──SUBSCRIBED──▶ open ──▶ ended
 *       └── refused, closed, the thread stops ──▶ ended
 *
 * The reactor numbers the messages of a topic. A subscription is due every number from its first one on. A message that is dropped, here or
 * on the way, leaves a gap between two numbers, and `missed` is the sum of these gaps. So it is exact without any other account.
 */
import { Deque } from '../../wire/deque.ts';
import { TopicError, TopicErrorCode } from './error.ts';

/** What becomes of a message that meets a subscription whose capacity is used up. */
export type WhenFull = 'drop-oldest' | 'drop-newest' | 'close';

export interface SubscribeOptions {
  /** Messages that may wait for the subscriber. Default 256. */
  readonly capacity?: number;
  /** Default `drop-oldest`. `close`: the subscription ends with `SLUICE_TOPIC_MISSED`, behind what it has got. */
  readonly whenFull?: WhenFull;
}

/** Messages of a topic, in order, from the moment on when the reactor knew of the subscription. */
export interface Subscription<T> extends AsyncIterableIterator<T, undefined>, AsyncDisposable {
  /** Messages of the topic that were meant for this subscription and that it did not get: exact up to the last one that arrived. */
  readonly missed: number;
  /**
   * Resolves when the subscription has begun: it gets what is published from then on.
   * @throws TopicError (as a rejection) `SLUICE_TOPIC_OVERLOADED`, `SLUICE_TOPIC_STOPPED`
   */
  readonly ready: Promise<void>;
  /** Ends it; what has not been taken is dropped. Idempotent, as are leaving a loop and leaving the scope. */
  close(): void;
}

/** What a subscription needs of its topic. */
export interface SubscriptionOwner {
  readonly topic: string;
  readonly maxBytes: number;
  /** @throws TopicError */
  decode(payload: Buffer): unknown;
  /** It wants no more. */
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
  /** The number of the message that comes next, unless some are missed. */
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

  /** `next` has something to say at once. */
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

  /** @param sequence of the first message that is meant for it */
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
    // Published before it began, and still on its way.
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

  /** @param sequence of the last message that it will not get, and no later one has come */
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

  /** @param failure null: it is over, and nothing is wrong */
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
