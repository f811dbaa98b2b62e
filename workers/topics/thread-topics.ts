/**
 * A thread's side of all topics: its subscriptions, and the messages that it publishes.
 *
 * A topic has one number in this thread, however many subscriptions the thread has, so each message arrives once and is given to all of
 * them. A published message goes into the ring, or waits here while the ring is full, within `publishBytes`.
 */
import type { ActorThreadEnd } from '../../wire/actors/thread-end.ts';
import { copyOf } from '../../wire/bytes.ts';
import { Deque } from '../../wire/deque.ts';
import type { PayloadDecoder } from '../../wire/payload/decoder.ts';
import type { PayloadEncoder } from '../../wire/payload/encoder.ts';
import { PayloadError, type PayloadLimits } from '../../wire/payload/forms.ts';
import type { TopicSettings } from '../../wire/topics/messages.ts';
import { TopicError, TopicErrorCode } from './error.ts';
import { type SubscriptionOwner, TopicSubscription, type WhenFull } from './subscription.ts';

/** The channel, and its turns. */
export interface TopicThread {
  readonly isOpen: boolean;
  readonly unsentMessages: number;
  /** Sends a message, now or when there is room. */
  send(bytes: Uint8Array, length: number, send: (end: ActorThreadEnd) => boolean): void;
  /** Sends a message if there is room and no other message waits for room. */
  trySend(send: (end: ActorThreadEnd) => boolean): boolean;
}

export interface Codec {
  readonly decoder: PayloadDecoder;
  freeEncoder(): PayloadEncoder;
}

/** A message that waits for room in the ring. */
interface Unsent {
  readonly topic: string;
  readonly payload: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: TopicError) => void;
}

const NOTHING = new Uint8Array(0);
/** Memory that a waiting message takes in addition to its payload. */
const OVERHEAD_BYTES = 128;

/** A topic that this thread has subscribed to. */
class SubscribedTopic implements SubscriptionOwner {
  readonly id: number;
  readonly topic: string;
  /** Subscriptions that wait for SUBSCRIBED, in order; one that was closed meanwhile keeps its place. */
  readonly beginning = new Deque<TopicSubscription>();
  readonly subscriptions = new Set<TopicSubscription>();
  readonly #topics: ThreadTopics;

  constructor(topics: ThreadTopics, id: number, topic: string) {
    this.#topics = topics;
    this.id = id;
    this.topic = topic;
  }

  get maxBytes(): number {
    return this.#topics.settings.subscriptionBytes;
  }

  decode(payload: Buffer): unknown {
    return this.#topics.decode(this.topic, payload);
  }

  leave(subscription: TopicSubscription): void {
    this.subscriptions.delete(subscription);
    this.#topics.left(this);
  }
}

export class ThreadTopics {
  readonly settings: TopicSettings;
  readonly #thread: TopicThread;
  readonly #codec: Codec;
  readonly #limits: PayloadLimits;
  readonly #byName = new Map<string, SubscribedTopic>();
  readonly #byId = new Map<number, SubscribedTopic>();
  readonly #unsent = new Deque<Unsent>();
  #unsentBytes = 0;
  #lastId = 0;
  /** The number of SUBSCRIBE messages that SUBSCRIBED has not answered yet. */
  #unsettled = 0;
  #open = 0;

  constructor(thread: TopicThread, settings: TopicSettings, maxErrorChars: number, codec: Codec) {
    this.#thread = thread;
    this.settings = settings;
    this.#codec = codec;
    this.#limits = {
      maxBytes: settings.maxMessageBytes,
      maxDepth: settings.maxMessageDepth,
      maxReferences: settings.maxSharedReferences,
      maxErrorChars,
    };
  }

  // ---- subscriptions

  /** @throws TopicError `SLUICE_TOPIC_OVERLOADED`, `SLUICE_TOPIC_STOPPED` */
  subscribe(name: string, capacity: number, whenFull: WhenFull): TopicSubscription {
    if (!this.#thread.isOpen) throw stopped(name);
    const { maxSubscriptions } = this.settings;
    // A subscription that is closed at once still receives its SUBSCRIBED later.
    if (Math.max(this.#open, this.#unsettled) >= maxSubscriptions) {
      const message = `${name}: expected at most ${maxSubscriptions} subscriptions of this thread, and there are as many`;
      throw new TopicError(TopicErrorCode.Overloaded, message);
    }
    const topic = this.#byName.get(name) ?? this.#create(name);
    const subscription = new TopicSubscription(topic, capacity, whenFull);
    topic.subscriptions.add(subscription);
    topic.beginning.push(subscription);
    this.#open++;
    this.#unsettled++;
    const { id } = topic;
    this.#thread.send(NOTHING, 0, (end) => end.sendSubscribe(id, name));
    return subscription;
  }

  #create(name: string): SubscribedTopic {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#byId.has(this.#lastId));
    const topic = new SubscribedTopic(this, this.#lastId, name);
    this.#byName.set(name, topic);
    this.#byId.set(topic.id, topic);
    return topic;
  }

  /** Called when one of the topic's subscriptions has ended. */
  left(topic: SubscribedTopic): void {
    this.#open--;
    if (topic.subscriptions.size > 0) return;
    if (this.#byName.get(topic.topic) !== topic) return;
    this.#byName.delete(topic.topic);
    const { id } = topic;
    this.#thread.send(NOTHING, 0, (end) => end.sendUnsubscribe(id));
    this.#forgetSettled(topic);
  }

  /** The topic's number is free once no SUBSCRIBED for it can arrive any more. */
  #forgetSettled(topic: SubscribedTopic): void {
    if (topic.beginning.length === 0 && this.#byName.get(topic.topic) !== topic) this.#byId.delete(topic.id);
  }

  onSubscribed(id: number, sequence: number | null): void {
    const topic = this.#byId.get(id);
    const subscription = topic?.beginning.shift();
    if (topic === undefined || subscription === undefined) return;
    this.#unsettled--;
    if (sequence !== null) {
      subscription.begin(sequence);
    } else {
      const message = `${topic.topic}: the server has as many topics as it may (topics.maxTopics)`;
      subscription.end(new TopicError(TopicErrorCode.Overloaded, message));
    }
    this.#forgetSettled(topic);
  }

  onEvent(id: number, sequence: number, bytes: Buffer, start: number, end: number): void {
    const topic = this.#byId.get(id);
    // The thread has unsubscribed, and the message was already in flight.
    if (topic === undefined || topic.subscriptions.size === 0) return;
    if (start === end) {
      for (const subscription of topic.subscriptions) subscription.lose(sequence);
      return;
    }
    const payload = copyOf(bytes, start, end);
    for (const subscription of topic.subscriptions) subscription.arrive(sequence, payload);
  }

  decode(topic: string, payload: Buffer): unknown {
    try {
      return this.#codec.decoder.decode(payload, 0, payload.length, this.#limits);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      throw new TopicError(error.code, `${topic}: ${error.message}`, { cause: error.cause });
    }
  }

  // ---- publishing

  /** Resolves when the message has been sent. @throws TopicError (as a rejection) */
  publish(topic: string, value: unknown): Promise<void> {
    if (!this.#thread.isOpen) return refused(stopped(topic));
    const encoder = this.#codec.freeEncoder();
    try {
      encoder.encode(value, 'message', this.#limits);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      const { code, message, cause } = error;
      return refused(new TopicError(code, `${topic}: ${message}`, { cause }));
    }
    const { bytes, length } = encoder;
    if (this.#unsent.length === 0 && this.#thread.trySend((end) => end.sendPublish(topic, bytes, length))) {
      return Promise.resolve();
    }
    const cost = length + OVERHEAD_BYTES;
    const { publishBytes } = this.settings;
    if (this.#unsent.length > 0 && this.#unsentBytes + cost > publishBytes) {
      const message = `${topic}: expected what is published to be awaited, and ${this.#unsentBytes} bytes of this thread wait (topics.publishBytes is ${publishBytes})`;
      return refused(new TopicError(TopicErrorCode.Overloaded, message));
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#unsent.push({ topic, payload: copyOf(bytes, 0, length), resolve, reject });
    this.#unsentBytes += cost;
    promise.catch(() => undefined);
    return promise;
  }

  /** True if the ring has room and no other message waits for it. */
  flush(): void {
    for (let first = this.#unsent.first; first !== undefined; first = this.#unsent.first) {
      const { topic, payload, resolve } = first;
      if (!this.#thread.trySend((end) => end.sendPublish(topic, payload, payload.length))) return;
      this.#unsent.shift();
      this.#unsentBytes -= payload.length + OVERHEAD_BYTES;
      resolve();
    }
  }

  /** Called when the thread's channel is closed. Messages that have arrived can still be read; no more will arrive. */
  endAll(): void {
    for (const topic of [...this.#byName.values()]) {
      for (const subscription of [...topic.subscriptions]) subscription.end(null);
    }
    this.#byId.clear();
    for (let first = this.#unsent.shift(); first !== undefined; first = this.#unsent.shift()) {
      first.reject(stopped(first.topic));
    }
    this.#unsentBytes = 0;
  }
}

/** A publisher that does not await ignores the result, so the rejection must not count as unhandled. */
function refused(error: TopicError): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(() => undefined);
  return promise;
}

function stopped(topic: string): TopicError {
  return new TopicError(TopicErrorCode.Stopped, `${topic}: this thread stops`);
}
