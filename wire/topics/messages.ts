/**
 * Messages of topics, on the channel for actors. README.md in the folder above has the table.
 *
 * A thread numbers the topics that it subscribes to (`id`, 32 bits that wrap). The reactor counts the
 * messages of each topic (`sequence`, 32 bits that wrap). A subscription begins with the number in
 * SUBSCRIBED, and the gap between the numbers of two EVENTs is what it lost. So no loss is counted twice.
 * Dropped messages need no message of their own, with one exception: if no later message follows, one EVENT
 * without a payload carries the number of the last dropped one.
 */

/** Thread → reactor. */
export const TopicFromThread = { Subscribe: 32, Unsubscribe: 33, Publish: 34 } as const;
/** Reactor → thread. */
export const TopicToThread = { Subscribed: 48, Event: 49 } as const;

/** Most characters in a topic's name. */
export const MAX_TOPIC_CHARS = 256;

/** The settings for topics that a thread gets when it starts. */
export interface TopicSettings {
  /** Most bytes in a message. */
  readonly maxMessageBytes: number;
  readonly maxMessageDepth: number;
  readonly maxSharedReferences: number;
  /** Most subscriptions of one thread at once. */
  readonly maxSubscriptions: number;
  /** Most bytes of messages that wait in one subscription. */
  readonly subscriptionBytes: number;
  /** Most bytes of one thread's messages that wait for room in its ring. */
  readonly publishBytes: number;
}

/**
 * What the reactor receives. `bytes[start, end)` is a payload in shared memory, valid only during the call.
 */
export interface TopicReactorHandler {
  /**
   * The thread wants the topic's messages under this number. A repeated number means that one more of the
   * thread's subscriptions begins.
   */
  onSubscribe(id: number, topic: string): void;
  onUnsubscribe(id: number): void;
  onPublish(topic: string, bytes: Buffer, start: number, end: number): void;
}

/** What a thread receives; as `TopicReactorHandler`. */
export interface TopicThreadHandler {
  /**
   * The response to SUBSCRIBE, in the order of the requests.
   * @param sequence number of the first message that belongs to the subscription; null if it was refused
   */
  onSubscribed(id: number, sequence: number | null): void;
  onEvent(id: number, sequence: number, bytes: Buffer, start: number, end: number): void;
}
