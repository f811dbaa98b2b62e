/**
 * A single-producer single-consumer byte ring in shared memory: `RingProducer` on one thread, `RingConsumer` on
 * the other. See layout.ts for the bytes.
 *
 * A ring knows records and their lengths; it does not know messages, doorbells or threads. It never waits and never
 * throws for what the other thread does: full, empty and corrupt are return values.
 *
 * Three handshakes keep the two sides together. Each is a store followed by a load of the other side's word, on both
 * sides, so that in any order of events at least one of them sees the other:
 *  - records: the producer stores the write position, the consumer loads it, and back with the read position;
 *  - sleep: the consumer stores `sleeping`, then looks for records; the producer stores the write position, then
 *    looks whether the consumer sleeps;
 *  - room: the producer stores `room wanted`, then looks for room; the consumer stores the read position,
 *    then looks whether room is wanted.
 *
 * A producer that computes for a long time before it publishes may `expose` the records that it has committed. This
 * is not a fourth handshake, because the producer does not notify the consumer: the consumer finds the records only
 * if it calls `lookAhead`, and `publish` works as if they had not been read.
 */

import type { AtomicWords } from './atomics.ts';
import { WireError, WireErrorCode } from './errors.ts';
import {
  COMMITTED_POSITION,
  isCapacity,
  MAX_CAPACITY_BYTES,
  MIN_CAPACITY_BYTES,
  maxMessageLength,
  READ_POSITION,
  RECORD_HEAD_BYTES,
  RECORDS_INDEX,
  RECORDS_OFFSET,
  ROOM_WANTED,
  recordSize,
  SLEEPING,
  WRITE_POSITION,
} from './layout.ts';

/** Returned by `claim`: no room now. */
export const FULL = -1;
/** Returned by `next`: nothing to read. */
export const EMPTY = -1;
/** Returned by `claim` and `next`: shared memory holds values that the other side cannot have written. */
export const CORRUPT = -2;

/** Memory for a ring of `capacity` record bytes, a power of two. Zeroed memory is an empty ring. */
export function allocateRing(capacity: number): SharedArrayBuffer {
  if (!isCapacity(capacity)) {
    throw new WireError(
      WireErrorCode.OptionInvalid,
      `ring capacity: expected a power of two from ${MIN_CAPACITY_BYTES} to ${MAX_CAPACITY_BYTES}, got ${capacity}`,
    );
  }
  return new SharedArrayBuffer(RECORDS_OFFSET + capacity);
}

export class RingProducer {
  /** The records. Offsets that `claim` returns are offsets into it. */
  readonly bytes: Buffer;
  readonly capacity: number;
  /** The longest message `claim` can ever grant. */
  readonly maxLength: number;

  readonly #atomics: AtomicWords;
  readonly #words: Int32Array;
  readonly #mask: number;
  /** The end of what was committed; ahead of `#published` within a batch. */
  #write: number;
  #published: number;
  /**
   * The read position as last loaded. The room that it shows is certain, because the consumer only moves
   * forward.
   */
  #read: number;
  /** Offset of the open claim's head, or -1. */
  #claimed = -1;
  #claimedLength = 0;
  #waitsForRoom = false;
  /**
   * `publish` has stored the position but has not yet checked whether the consumer sleeps. A stack overflow may
   * occur in between; the next `publish` then makes the check.
   */
  #wakeCheckPending = false;

  constructor(memory: SharedArrayBuffer, atomics: AtomicWords) {
    this.#words = new Int32Array(memory);
    this.capacity = memory.byteLength - RECORDS_OFFSET;
    this.bytes = Buffer.from(memory, RECORDS_OFFSET, this.capacity);
    this.maxLength = maxMessageLength(this.capacity);
    this.#mask = this.capacity - 1;
    this.#atomics = atomics;
    this.#write = atomics.load(this.#words, WRITE_POSITION);
    this.#published = this.#write;
    this.#read = atomics.load(this.#words, READ_POSITION);
  }

  /**
   * Claims room for a message of at most `maxLength` contiguous bytes. Returns its offset in `bytes`, `FULL`,
   * or `CORRUPT`. After `FULL` the consumer reports when there is room (see `tookRoom`). Publish what is
   * pending: the consumer cannot free records that it cannot see.
   */
  claim(maxLength: number): number {
    if (maxLength > this.maxLength || this.#claimed !== -1) this.#refuse(maxLength);
    const size = recordSize(maxLength);
    const offset = this.#write & this.#mask;
    const toEnd = this.capacity - offset;
    const wanted = size <= toEnd ? size : toEnd + size;
    if (wanted > this.capacity - ((this.#write - this.#read) | 0)) {
      const refused = this.#awaitRoom(wanted);
      if (refused !== 0) return refused;
    }
    if (size <= toEnd) {
      this.#claimed = offset;
    } else {
      this.#words[RECORDS_INDEX + (offset >> 2)] = -toEnd;
      this.#write = (this.#write + toEnd) | 0;
      this.#claimed = 0;
    }
    this.#claimedLength = maxLength;
    return this.#claimed + RECORD_HEAD_BYTES;
  }

  /**
   * Ends the claim: the message is written and has `length` bytes, from 1 to what was claimed. The consumer
   * cannot see it yet.
   */
  commit(length: number): void {
    if (this.#claimed === -1 || length <= 0 || length > this.#claimedLength) {
      throw new WireError(
        WireErrorCode.Misuse,
        `commit: expected 1 to ${this.#claimedLength} bytes of an open claim, got ${length}`,
      );
    }
    this.#words[RECORDS_INDEX + (this.#claimed >> 2)] = length;
    this.#write = (this.#write + recordSize(length)) | 0;
    this.#claimed = -1;
  }

  /** Cancels the claim; nothing was sent. The padding that the claim needed stays, which is harmless. */
  abort(): void {
    this.#claimed = -1;
  }

  /** Bytes that the consumer has not released, according to the consumer. Used for statistics only. */
  get usedBytes(): number {
    const used = (this.#write - this.#atomics.load(this.#words, READ_POSITION)) | 0;
    return Math.min(Math.max(used, 0), this.capacity);
  }

  /** Bytes committed since the last `publish`. */
  get pendingBytes(): number {
    return (this.#write - this.#published) | 0;
  }

  /**
   * Lets `lookAhead` find every committed record; `publish` still has to notify the consumer. A producer that uses
   * this must call it after each commit: an old position would seem to be ahead once the other positions have
   * wrapped.
   */
  expose(): void {
    this.#atomics.store(this.#words, COMMITTED_POSITION, this.#write);
  }

  /**
   * Makes all committed records visible with one store. True if the consumer slept; the caller must then ring
   * its doorbell.
   */
  publish(): boolean {
    if (this.#write !== this.#published) {
      this.#atomics.store(this.#words, WRITE_POSITION, this.#write);
      this.#published = this.#write;
      this.#wakeCheckPending = true;
    }
    if (!this.#wakeCheckPending) return false;
    const slept = this.wakeConsumer();
    this.#wakeCheckPending = false;
    return slept;
  }

  /** True if the consumer has announced its sleep, and neither side has cleared the announcement since. */
  get consumerSleeps(): boolean {
    return this.#atomics.load(this.#words, SLEEPING) === 1;
  }

  /** Marks a sleeping consumer as woken. True if it slept; the caller must then ring, exactly once. */
  wakeConsumer(): boolean {
    return (
      this.#atomics.load(this.#words, SLEEPING) === 1 && this.#atomics.replace(this.#words, SLEEPING, 1, 0)
    );
  }

  /**
   * Returns true once after one or more `FULL`s, when the consumer has freed the room that the last refused claim requested. Every refused
   * sender then tries again; a sender that is refused again makes a new request. The notice may come too early, but it always comes.
   */
  tookRoom(): boolean {
    if (!this.hasRoomNews) return false;
    this.#waitsForRoom = false;
    return true;
  }

  /** True if `tookRoom` would return true. */
  get hasRoomNews(): boolean {
    return this.#waitsForRoom && this.#atomics.load(this.#words, ROOM_WANTED) === 0;
  }

  /** Requests room from the consumer. Returns 0 if there is room after all, otherwise `FULL` or `CORRUPT`. */
  #awaitRoom(wanted: number): number {
    let free = this.#loadFree();
    if (free < 0) return CORRUPT;
    if (wanted <= free) return 0;
    // An earlier claim may still wait for room. There is one word for all requests: it now holds this request
    // in place of the earlier one, or in place of the 0 with which the consumer granted the earlier one.
    const othersWait = this.#waitsForRoom;
    // A quarter at least, so that a full ring does not cost a doorbell per record.
    this.#atomics.store(this.#words, ROOM_WANTED, Math.max(wanted, this.capacity >> 2));
    this.#waitsForRoom = true;
    // The consumer may have freed the room between the load above and the store, and then it never checks the
    // word again.
    free = this.#loadFree();
    if (free < 0) return CORRUPT;
    if (wanted > free) return FULL;
    this.#atomics.store(this.#words, ROOM_WANTED, 0);
    // There is room, so the earlier senders must try again as well. Their request cannot be put back into the
    // word: the consumer may already have found it replaced, and may have nothing more to release.
    this.#waitsForRoom = othersWait;
    return 0;
  }

  #loadFree(): number {
    this.#read = this.#atomics.load(this.#words, READ_POSITION);
    const used = (this.#write - this.#read) | 0;
    // Negative: the consumer claims to have read what was never written. Above capacity: its position went
    // backwards.
    return used < 0 || used > this.capacity ? -1 : this.capacity - used;
  }

  #refuse(maxLength: number): never {
    if (this.#claimed !== -1) throw new WireError(WireErrorCode.Misuse, 'claim: a claim is already open');
    throw new WireError(
      WireErrorCode.RecordTooLarge,
      `message: expected at most ${this.maxLength} bytes for a ring of ${this.capacity}, got ${maxLength}`,
    );
  }
}

export class RingConsumer {
  /** The records. Offsets that `next` returns are offsets into it. */
  readonly bytes: Buffer;
  readonly capacity: number;
  /** Length of the message that `next` last returned. */
  length = 0;

  readonly #atomics: AtomicWords;
  readonly #words: Int32Array;
  readonly #mask: number;
  /** The end of what `next` has returned; ahead of `#released` within a batch. */
  #read: number;
  #released: number;
  /** The write position as last loaded, or the committed one. */
  #write: number;
  /** How far the committed position was ahead of the write position when `lookAhead` last read it. */
  #ahead = 0;

  constructor(memory: SharedArrayBuffer, atomics: AtomicWords) {
    this.#words = new Int32Array(memory);
    this.capacity = memory.byteLength - RECORDS_OFFSET;
    this.bytes = Buffer.from(memory, RECORDS_OFFSET, this.capacity);
    this.#mask = this.capacity - 1;
    this.#atomics = atomics;
    this.#read = atomics.load(this.#words, READ_POSITION);
    this.#released = this.#read;
    this.#write = this.#read;
  }

  /**
   * Returns the offset of the next message in `bytes` and puts its length into `length`; or returns `EMPTY`
   * or `CORRUPT`. The message's bytes stay unchanged until `release`.
   */
  next(): number {
    for (;;) {
      if (this.#read === this.#write) {
        const write = this.#atomics.load(this.#words, WRITE_POSITION);
        if (this.#isRead(write)) return EMPTY;
        this.#write = write;
      }
      const available = (this.#write - this.#read) | 0;
      const offset = this.#read & this.#mask;
      const toEnd = this.capacity - offset;
      const length = this.#words[RECORDS_INDEX + (offset >> 2)];
      // These comparisons also reject an `available` outside 0 to capacity. `length` itself is compared with
      // `toEnd`, because `recordSize` of a huge length would wrap.
      if (length > 0) {
        const size = recordSize(length);
        if (length > toEnd || size > toEnd || size > available || available > this.capacity) return CORRUPT;
        this.length = length;
        this.#read = (this.#read + size) | 0;
        return offset + RECORD_HEAD_BYTES;
      }
      if (length !== -toEnd || toEnd > available || available > this.capacity) return CORRUPT;
      this.#read = (this.#read + toEnd) | 0;
    }
  }

  /**
   * Makes the next calls of `next` also return records that the producer has exposed by now and not yet
   * published.
   */
  lookAhead(): void {
    const committed = this.#atomics.load(this.#words, COMMITTED_POSITION);
    // The order matters. Records that are committed now may be published a moment later; with the loads the
    // other way round, the committed position could then be behind the write position.
    const ahead = (committed - this.#atomics.load(this.#words, WRITE_POSITION)) | 0;
    if (ahead <= 0 || ahead > this.capacity) return;
    this.#ahead = ahead;
    this.#write = committed;
  }

  /**
   * True if this side has read everything that was published up to `write`. Without a look-ahead its read
   * position equals `write` then. After one, the read position may be ahead of `write` by up to `#ahead`
   * bytes, which were read before they were published.
   */
  #isRead(write: number): boolean {
    const behind = (this.#read - write) | 0;
    return behind >= 0 && behind <= this.#ahead;
  }

  /** Bytes that the producer has published and this side has not released. Used for statistics only. */
  get usedBytes(): number {
    const used = (this.#atomics.load(this.#words, WRITE_POSITION) - this.#released) | 0;
    return Math.min(Math.max(used, 0), this.capacity);
  }

  /** True if `next` would return a record, or find that the ring is corrupt. */
  get hasRecords(): boolean {
    return this.#read !== this.#write || !this.#isRead(this.#atomics.load(this.#words, WRITE_POSITION));
  }

  /** Bytes that `next` has returned and that are not released yet. */
  get held(): number {
    return (this.#read - this.#released) | 0;
  }

  /**
   * Releases all records that were read. True if the producer waited for room and now has it; the caller must
   * then notify it.
   */
  release(): boolean {
    if (this.#read === this.#released) return false;
    this.#released = this.#read;
    this.#atomics.store(this.#words, READ_POSITION, this.#read);
    const wanted = this.#atomics.load(this.#words, ROOM_WANTED);
    if (wanted === 0) return false;
    // Records may have been published since `#write` was loaded, so `free` may be too high. At worst the
    // producer finds the ring full again and makes a new request. `free` is never too low, so a consumer that
    // has emptied the ring always grants the request.
    const free = this.capacity - ((this.#write - this.#read) | 0);
    if (free < wanted && free < this.capacity) return false;
    // False if the producer has just replaced its request. The producer loads the read position after that,
    // and so sees the position stored above.
    return this.#atomics.replace(this.#words, ROOM_WANTED, wanted, 0);
  }

  /** True if this side has announced its sleep, and neither side has cleared the announcement since. */
  get sleeps(): boolean {
    return this.#atomics.load(this.#words, SLEEPING) === 1;
  }

  /**
   * Announces that this side looks again only after a doorbell. Returns false and stays awake if records
   * wait.
   */
  sleep(): boolean {
    this.#atomics.store(this.#words, SLEEPING, 1);
    if (this.#isRead(this.#atomics.load(this.#words, WRITE_POSITION))) return true;
    this.wake();
    return false;
  }

  /** Cancels the announcement. A doorbell that was rung in the meantime may still arrive. */
  wake(): void {
    this.#atomics.store(this.#words, SLEEPING, 0);
  }
}
