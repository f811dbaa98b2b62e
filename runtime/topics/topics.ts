/**
 * Which threads have subscribed to which topic. A topic exists as long as a thread has subscribed to it; messages that are published to
 * other names are dropped.
 *
 * All messages of a topic pass through here. They therefore have one order, and a thread receives each message once, however many
 * subscriptions it has.
 */
import { corrupt } from '../../wire/decoder.ts';
import { MAX_TOPIC_CHARS } from '../../wire/topics/messages.ts';
import { type TopicLink, TopicOutlet } from './outlet.ts';
import { Published, Reader, Topic } from './records.ts';

export interface TopicsOptions {
  /** Topics with subscriptions, in the whole process. */
  readonly maxTopics: number;
  /** The most bytes of messages that wait for one thread that does not read. */
  readonly threadBytes: number;
  readonly maxMessageBytes: number;
  readonly maxSubscriptions: number;
}

export class Topics {
  /**
   * Messages that were published while there was a subscription, messages that were sent to threads, refused subscriptions, and messages
   * that were dropped for threads that have ended.
   */
  readonly tally = { published: 0, events: 0, refused: 0, droppedBefore: 0 };
  readonly #options: TopicsOptions;
  readonly #topics = new Map<string, Topic>();
  readonly #outlets = new Set<TopicOutlet>();

  constructor(options: TopicsOptions) {
    this.#options = options;
  }

  /** Topics with subscriptions. */
  get size(): number {
    return this.#topics.size;
  }

  /** The figures of the present threads. */
  get outlets(): readonly TopicOutlet[] {
    return [...this.#outlets];
  }

  attach(link: TopicLink): TopicOutlet {
    const outlet = new TopicOutlet(link, this.#options.threadBytes);
    this.#outlets.add(outlet);
    return outlet;
  }

  subscribe(outlet: TopicOutlet, id: number, name: string): void {
    const { link, readers } = outlet;
    const known = readers.get(id);
    if (known !== undefined) {
      if (known.topic.name !== name) throw corrupt('a number of one topic', `one of two: ${id}`);
      const { sequence } = known.topic;
      link.send(0, () => link.end.sendSubscribed(id, sequence));
      return;
    }
    if (name.length > MAX_TOPIC_CHARS || readers.size >= this.#options.maxSubscriptions) {
      throw corrupt('a topic that a thread may ask for', `one of ${name.length} characters`);
    }
    const topic = this.#topicOf(name);
    if (topic === null) {
      this.tally.refused++;
      link.send(0, () => link.end.sendSubscribed(id, null));
      return;
    }
    const reader = new Reader(topic, outlet, id);
    readers.set(id, reader);
    topic.readers.push(reader);
    const { sequence } = topic;
    link.send(0, () => link.end.sendSubscribed(id, sequence));
  }

  #topicOf(name: string): Topic | null {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    if (this.#topics.size >= this.#options.maxTopics) return null;
    const topic = new Topic(name);
    this.#topics.set(name, topic);
    return topic;
  }

  unsubscribe(outlet: TopicOutlet, id: number): void {
    const reader = outlet.readers.get(id);
    // The subscription was refused earlier.
    if (reader === undefined) return;
    outlet.readers.delete(id);
    this.#remove(reader);
  }

  #remove(reader: Reader): void {
    reader.state = 'closed';
    const { topic } = reader;
    topic.readers.splice(topic.readers.indexOf(reader), 1);
    if (topic.readers.length === 0) this.#topics.delete(topic.name);
  }

  publish(name: string, bytes: Buffer, start: number, end: number): void {
    if (end - start > this.#options.maxMessageBytes) {
      throw corrupt(`a message of at most ${this.#options.maxMessageBytes} bytes`, `${end - start} bytes`);
    }
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    const message = new Published(topic.sequence, bytes, start, end);
    topic.sequence = (topic.sequence + 1) >>> 0;
    this.tally.published++;
    this.tally.events += topic.readers.length;
    for (const reader of topic.readers) reader.taker.give(reader, message);
  }

  /** Called when the thread is gone. */
  detach(outlet: TopicOutlet): void {
    for (const reader of outlet.readers.values()) this.#remove(reader);
    this.tally.droppedBefore += outlet.dropped;
    outlet.close();
    this.#outlets.delete(outlet);
  }
}
