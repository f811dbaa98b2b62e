/**
 * The topics that one thread has subscribed to, and what waits for it.
 *
 * A message goes into the thread's ring at once. If the ring is full, messages wait here, up to `threadBytes`. Beyond that the oldest
 * message is dropped, so a thread that reads again gets the newest. Neither the publisher nor other threads notice, and a message that
 * waits for several threads is kept once.
 */
import type { ActorReactorEnd } from '../../wire/actors/reactor-end.ts';
import { Deque } from '../../wire/deque.ts';
import type { MessageTaker, Published, Reader } from './records.ts';

/** The link of a thread, as topics need it. */
export interface TopicLink {
  readonly name: string;
  readonly end: ActorReactorEnd;
  /** True if no other message waits for room in the ring. */
  readonly hasRoom: boolean;
  /** Sends a message, now or when there is room. */
  send(bytes: number, send: () => boolean): void;
  requestTurn(): void;
}

interface Waiting {
  readonly reader: Reader;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** Memory that a waiting message takes in addition to its payload. */
const OVERHEAD_BYTES = 64;
const NOTHING = Buffer.alloc(0);

export class TopicOutlet implements MessageTaker {
  readonly link: TopicLink;
  readonly readers = new Map<number, Reader>();
  /** Messages that were dropped because this thread did not read. */
  dropped = 0;
  readonly #waiting = new Deque<Waiting>();
  readonly #maxWaitingBytes: number;
  #waitingBytes = 0;
  /** Readers whose newest message was dropped. No later message shows the gap, so the thread is sent the number of that message. */
  readonly #lostTails = new Set<Reader>();

  constructor(link: TopicLink, maxWaitingBytes: number) {
    this.link = link;
    this.#maxWaitingBytes = maxWaitingBytes;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  give(reader: Reader, message: Published): void {
    const { link } = this;
    const { sequence, bytes, start, end } = message;
    if (
      this.#waiting.length === 0 &&
      link.hasRoom &&
      link.end.sendEvent(reader.id, sequence, bytes, start, end)
    ) {
      link.requestTurn();
      this.#lostTails.delete(reader);
      return;
    }
    const payload = message.keep();
    this.#waiting.push({ reader, sequence, payload });
    reader.newest = sequence;
    this.#lostTails.delete(reader);
    this.#waitingBytes += payload.length + OVERHEAD_BYTES;
    // The newest message stays, whatever its size: its number shows the thread how many were lost before it.
    while (this.#waitingBytes > this.#maxWaitingBytes && this.#waiting.length > 1) {
      const { reader: loser, sequence: lost } = this.#shift();
      if (loser.state !== 'open') continue;
      this.dropped++;
      if (loser.newest === lost) this.#lostTails.add(loser);
    }
    // If other messages of the link wait already, this one has not requested room in the ring, so a turn must check again.
    link.requestTurn();
  }

  /** True if the ring has room and no other message waits for it. */
  flush(): void {
    for (let first = this.#waiting.first; first !== undefined; first = this.#waiting.first) {
      const { reader, sequence, payload } = first;
      if (
        reader.state === 'open' &&
        !this.link.end.sendEvent(reader.id, sequence, payload, 0, payload.length)
      ) {
        return;
      }
      this.#shift();
    }
    for (const reader of this.#lostTails) {
      if (reader.state === 'open' && !this.link.end.sendEvent(reader.id, reader.newest, NOTHING, 0, 0))
        return;
      this.#lostTails.delete(reader);
    }
  }

  /** Called when the thread is gone. */
  close(): void {
    this.#waiting.clear();
    this.#lostTails.clear();
    this.#waitingBytes = 0;
    this.readers.clear();
  }

  #shift(): Waiting {
    const waiting = this.#waiting.shift() as Waiting;
    this.#waitingBytes -= waiting.payload.length + OVERHEAD_BYTES;
    return waiting;
  }
}
