/**
 * Messages of topics, on the channel for actors; README.md of the folder above has the table.
 *
 * A thread numbers the topics that it subscribes to (`id`, 32 bits that wrap). The reactor counts the messages of each topic
 * (`sequence`, 32 bits that wrap): a subscription begins with the number that SUBSCRIBED says, and what it lost is the gap between
 * the numbers of two EVENTs. So nothing is counted twice, and for messages that were dropped nothing has to be sent but one EVENT without a payload, with the
 * number of the last of them, when no later message follows.
 */

/** Thread → reactor. */
export const TopicFromThread = { Subscribe: 32, Unsubscribe: 33, Publish: 34 } as const;
/** Reactor → thread. */
export const TopicToThread = { Subscribed: 48, Event: 49 } as const;

/** Characters of a topic's name. */
export const MAX_TOPIC_CHARS = 256;

/** What a thread is told of topics when it starts. */
export interface TopicSettings {
  /** Bytes of a message. */
  readonly maxMessageBytes: number;
  readonly maxMessageDepth: number;
  readonly maxSharedReferences: number;
  /** Of one thread, at once. */
  readonly maxSubscriptions: number;
  /** Bytes of messages that wait in one subscription. */
  readonly subscriptionBytes: number;
  /** Bytes of messages of one thread that wait for room in its ring. */
  readonly publishBytes: number;
}

/** The reactor's side. `bytes[start, end)` is a payload in shared memory, valid during the call. */
export interface TopicReactorHandler {
  /** The thread wants the topic's messages under this number. Again for the same number: one more of its subscriptions begins. */
  onSubscribe(id: number, topic: string): void;
  onUnsubscribe(id: number): void;
  onPublish(topic: string, bytes: Buffer, start: number, end: number): void;
}

/** The thread's side; as `TopicReactorHandler`. */
export interface TopicThreadHandler {
  /**
   * The answers to SUBSCRIBE, in order.
   * @param sequence of the first message that is meant for the subscription; null: it was refused
   */
  onSubscribed(id: number, sequence: number | null): void;
  onEvent(id: number, sequence: number, bytes: Buffer, start: number, end: number): void;
}
