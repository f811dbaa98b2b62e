/** The records of topics: which threads have subscribed to one, and a message on its way to them. */

/** Where a thread's messages go. */
export interface MessageTaker {
  give(reader: Reader, message: Published): void;
}

export class Topic {
  readonly name: string;
  /** The number of the next message; 32 bits that wrap. */
  sequence = 0;
  readonly readers: Reader[] = [];

  constructor(name: string) {
    this.name = name;
  }
}

/** A thread that has subscribed to a topic. */
export class Reader {
  readonly topic: Topic;
  readonly taker: MessageTaker;
  /** The thread's number for it. */
  readonly id: number;
  state: 'open' | 'closed' = 'open';
  /** The number of the message that waited for the thread last. */
  newest = 0;

  constructor(topic: Topic, taker: MessageTaker, id: number) {
    this.topic = topic;
    this.taker = taker;
    this.id = id;
  }
}

/** One message. `bytes[start, end)` lies in its publisher's ring, and is valid only during the call. */
export class Published {
  readonly sequence: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  #kept: Buffer | null = null;

  constructor(sequence: number, bytes: Buffer, start: number, end: number) {
    this.sequence = sequence;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  /** Returns the payload in memory of its own, shared by all outlets that keep it. */
  keep(): Buffer {
    if (this.#kept === null) {
      this.#kept = Buffer.allocUnsafeSlow(this.end - this.start);
      this.bytes.copy(this.#kept, 0, this.start, this.end);
    }
    return this.#kept;
  }
}
