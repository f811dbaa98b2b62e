/** The part of `sluice/actors` that concerns topics. docs/topics.md says how to use them. */
import { MAX_TOPIC_CHARS } from '../../wire/topics/messages.ts';
import { actorThread } from '../actors/current.ts';
import { nameOf } from '../exchange/values.ts';
import { TopicError, TopicErrorCode } from './error.ts';
import type { SubscribeOptions, Subscription } from './subscription.ts';
import type { ThreadTopics } from './thread-topics.ts';

/** A topic. Every subscriber, in any thread of the server, receives what any thread publishes. */
export interface Topic<T> {
  readonly name: string;
  /**
   * Sends a message to all subscribers. Resolves when the message has been sent; the publisher does not learn who received it. Awaiting it
   * slows a publisher to the speed at which the server can deliver; slow subscribers never slow it.
   * @throws TopicError (as a rejection, and never an unhandled one) `SLUICE_TOPIC_OVERLOADED`, `SLUICE_TOPIC_STOPPED`,
   * `SLUICE_MESSAGE_INVALID`, `SLUICE_MESSAGE_TOO_LARGE`
   */
  publish(message: T): Promise<void>;
  /**
   * @throws TopicError `SLUICE_TOPIC_OVERLOADED`, `SLUICE_TOPIC_STOPPED`, `SLUICE_TOPIC_OPTION_INVALID`
   */
  subscribe(options?: SubscribeOptions): Subscription<T>;
}

const DEFAULT_CAPACITY = 256;
const MAX_CAPACITY = 1_000_000;
const WHEN_FULL: ReadonlySet<unknown> = new Set(['drop-oldest', 'drop-newest', 'close']);

/**
 * Returns the topic of this name. The object owns nothing, and may be made when a module loads, by any application, actor or lifespan hook.
 * @throws TopicError `SLUICE_TOPIC_NAME_INVALID`; `SLUICE_TOPIC_UNAVAILABLE` if threads have no channel for topics
 */
export function topic<T>(name: string): Topic<T> {
  if (typeof name !== 'string' || name === '' || name.length > MAX_TOPIC_CHARS || !name.isWellFormed()) {
    const got = typeof name === 'string' ? `one of ${name.length} characters` : nameOf(name);
    const message = `expected a topic's name, a well-formed string of 1 to ${MAX_TOPIC_CHARS} characters, got ${got}`;
    throw new TopicError(TopicErrorCode.NameInvalid, message);
  }
  return Object.freeze({
    name,
    publish: (message: T) => {
      try {
        return topicsOf(name).publish(name, message);
      } catch (error) {
        return Promise.reject(error);
      }
    },
    subscribe: (options: SubscribeOptions = {}) => {
      requireOptions(name, options);
      const { capacity = DEFAULT_CAPACITY, whenFull = 'drop-oldest' } = options;
      if (!Number.isInteger(capacity) || capacity < 1 || capacity > MAX_CAPACITY) {
        throw invalid(name, 'capacity', `a whole number from 1 to ${MAX_CAPACITY}`, capacity);
      }
      if (!WHEN_FULL.has(whenFull)) {
        throw invalid(name, 'whenFull', '"drop-oldest", "drop-newest" or "close"', whenFull);
      }
      return topicsOf(name).subscribe(name, capacity, whenFull) as Subscription<T>;
    },
  });
}

function topicsOf(name: string): ThreadTopics {
  const thread = actorThread();
  if (thread !== null) return thread.topics;
  const message = `expected a thread of a server whose configuration has topics ("topics": {}) or actors, for ${JSON.stringify(name)}`;
  throw new TopicError(TopicErrorCode.Unavailable, message);
}

/** Another emitter's `subscribe` takes a listener, which would be read as options and hear nothing. */
function requireOptions(topic: string, options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    const hint = typeof options === 'function' ? ': read the subscription with for await' : '';
    throw new TopicError(
      TopicErrorCode.OptionInvalid,
      `${topic}: expected options or nothing, got ${nameOf(options)}${hint}`,
    );
  }
  const other = Object.keys(options).find((key) => key !== 'capacity' && key !== 'whenFull');
  if (other === undefined) return;
  throw new TopicError(
    TopicErrorCode.OptionInvalid,
    `${topic}: expected the options capacity and whenFull, got ${nameOf(other)}`,
  );
}

function invalid(topic: string, option: string, expected: string, got: unknown): TopicError {
  return new TopicError(
    TopicErrorCode.OptionInvalid,
    `${topic}: expected ${option} to be ${expected}, got ${nameOf(got)}`,
  );
}
