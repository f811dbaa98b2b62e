/**
 * What the two ends of a channel share: claiming and committing records, publishing, receiving, sleeping and
 * waking. The messages of each direction are in reactor-end.ts and thread-end.ts.
 */

import type { AtomicWords } from './atomics.ts';
import { ClaimTable } from './claims.ts';
import { corrupt, Decoder } from './decoder.ts';
import type { Doorbell } from './doorbell.ts';
import { binaryBound, Encoder, integersBound } from './encoder.ts';
import { WireError, WireErrorCode } from './errors.ts';
import type { ChannelEvents } from './messages.ts';
import { CORRUPT, FULL, RingConsumer, RingProducer } from './ring.ts';

/** The memory and settings that both ends of a channel hold. */
export interface ChannelParts {
  readonly outgoing: SharedArrayBuffer;
  readonly incoming: SharedArrayBuffer;
  readonly claims: SharedArrayBuffer;
  readonly maxDataRecordBytes: number;
  /** Makes this end's doorbell, which calls `onRing` each time the other end rings. */
  readonly doorbell: (onRing: () => void) => Doorbell;
  readonly atomics: AtomicWords;
  /** Default: `PUBLISH_FROM_BYTES` and `RING_FROM_BYTES`. */
  readonly publishFromBytes?: number;
  readonly ringFromBytes?: number;
}

/** Room for an array head and the integers of any message. */
export const INTEGERS_BOUND = integersBound(6);
/**
 * This many bytes are published before the turn ends, so that the other side can work at the same time. Otherwise two
 * sides with a few dozen exchanges between them would be idle in turn.
 */
const PUBLISH_FROM_BYTES = 2048;
/**
 * The same limit if the other side sleeps. Waking it costs as much as many messages, so it should find more
 * of them.
 */
const RING_FROM_BYTES = 8192;

export interface ChannelOccupancy {
  readonly outgoingBytes: number;
  readonly outgoingCapacity: number;
  readonly incomingBytes: number;
  readonly incomingCapacity: number;
}

/**
 * What both ends do. A sender returns false if the ring is full or the channel is corrupt or closed; it has
 * then written nothing. After a full ring `onWritable` follows. The other side sees what was sent after
 * `publish`.
 */
export abstract class ChannelEnd {
  /** Says which side has which exchange. */
  readonly claims: ClaimTable;
  /** Most body bytes that one `sendData` or one `sendHead` may carry. */
  readonly maxDataRecordBytes: number;
  protected readonly encoder: Encoder;
  protected readonly decoder: Decoder;
  protected readonly outgoing: RingProducer;
  protected readonly incoming: RingConsumer;
  readonly #doorbell: Doorbell;
  readonly #events: ChannelEvents;
  readonly #releaseAt: number;
  readonly #exposes: boolean;
  readonly #publishFromBytes: number;
  readonly #ringFromBytes: number;
  /** `sleeping`: this side has announced its sleep. `corrupt` and `closed` never change again. */
  #state: 'awake' | 'sleeping' | 'corrupt' | 'closed' = 'awake';
  /**
   * `publish` has found the other side asleep and has not rung yet. An error may be thrown in between; the
   * next `publish` then rings.
   */
  #ringPending = false;
  /**
   * How often this side has woken the other, and how often the other has woken this side. Used for statistics
   * only.
   */
  doorbellsRung = 0;
  doorbellsHeard = 0;
  /** False once a handler has called `leave`: `receive` then stops after the current message. */
  #goesOn = false;
  /** Start of the open claim in the outgoing ring. */
  #claimed = 0;

  /** @param exposes the other end can find what is sent with `lookAhead` before it is published */
  constructor(events: ChannelEvents, parts: ChannelParts, exposes: boolean) {
    this.#events = events;
    this.#exposes = exposes;
    this.#publishFromBytes = parts.publishFromBytes ?? PUBLISH_FROM_BYTES;
    this.#ringFromBytes = parts.ringFromBytes ?? RING_FROM_BYTES;
    this.outgoing = new RingProducer(parts.outgoing, parts.atomics);
    this.incoming = new RingConsumer(parts.incoming, parts.atomics);
    this.encoder = new Encoder(this.outgoing.bytes);
    this.decoder = new Decoder(this.incoming.bytes);
    this.claims = new ClaimTable(parts.claims, parts.atomics);
    this.maxDataRecordBytes = parts.maxDataRecordBytes;
    this.#releaseAt = this.incoming.capacity >> 3;
    this.#doorbell = parts.doorbell(() => this.#rung());
  }

  get state(): 'awake' | 'sleeping' | 'corrupt' | 'closed' {
    return this.#state;
  }

  /** True if the other side sleeps: it has not woken, and this side has not rung it. It has nothing to do. */
  get peerSleeps(): boolean {
    return this.outgoing.consumerSleeps;
  }

  /** True if this side sleeps, and the other side has not rung it since. */
  get isAsleep(): boolean {
    return this.#state === 'sleeping' && this.incoming.sleeps;
  }

  /**
   * True if both sides sleep, and neither has rung the other since. From then on nothing happens until one of
   * the owners starts something, so no message may be waiting for the channel.
   */
  get isQuiet(): boolean {
    // The order matters. Only this side announces its own sleep, so it already slept when it checked the
    // other side.
    return this.#state === 'sleeping' && this.outgoing.consumerSleeps && this.incoming.sleeps;
  }

  /**
   * True if `receive` would call `onWritable`, possibly without a doorbell for it: a sender that found room may have
   * withdrawn the request for room of senders that wait. An owner that has sent outside a turn must then take a turn.
   */
  get needsTurn(): boolean {
    return this.outgoing.hasRoomNews;
  }

  /** True if `receive` would do something: a message has arrived, or room is available. */
  get hasNews(): boolean {
    if (this.#state === 'corrupt' || this.#state === 'closed') return false;
    return this.incoming.hasRecords || this.outgoing.hasRoomNews;
  }

  /** How full the two rings are: the one to the other side, and the one from it. */
  get occupancy(): ChannelOccupancy {
    const { outgoing, incoming } = this;
    return {
      outgoingBytes: outgoing.usedBytes,
      outgoingCapacity: outgoing.capacity,
      incomingBytes: incoming.usedBytes,
      incomingCapacity: incoming.capacity,
    };
  }

  /** Bytes that were sent and that the other side cannot see yet. */
  get unpublishedBytes(): number {
    return this.outgoing.pendingBytes;
  }

  /** Makes everything sent so far visible, and rings if the other side sleeps. */
  publish(): void {
    if (this.outgoing.publish()) this.#ringPending = true;
    if (!this.#ringPending) return;
    this.#doorbell.ring();
    this.doorbellsRung++;
    this.#ringPending = false;
  }

  /**
   * Gives up to `limit` messages to the handler, in the order in which they were sent, and stops once their
   * bytes reach `limitBytes`. Returns the number of messages.
   */
  receive(limit: number, limitBytes = Infinity): number {
    if (this.#state === 'sleeping') this.#wake();
    if (this.#state !== 'awake') return 0;
    if (this.outgoing.tookRoom()) this.#events.onWritable();
    const incoming = this.incoming;
    let count = 0;
    let bytes = 0;
    this.#goesOn = true;
    while (count < limit && bytes < limitBytes && this.#goesOn) {
      const offset = incoming.next();
      if (offset < 0) {
        if (offset === CORRUPT) this.#fail(corrupt('a record within the ring', 'one outside'));
        break;
      }
      try {
        this.dispatch(offset, incoming.length);
      } catch (error) {
        // An error that a handler throws belongs to the channel's owner and propagates to it. The message
        // counts as handled either way.
        if (!(error instanceof WireError) || error.code !== WireErrorCode.Corrupt) throw error;
        this.#fail(error);
        break;
      }
      count++;
      bytes += incoming.length;
      // A handler may have closed the channel.
      if (this.#state !== 'awake') return count;
      if (incoming.held >= this.#releaseAt) this.#release();
    }
    this.#release();
    return count;
  }

  /**
   * Makes `receive` also return messages that the other end has sent and not yet published. An end that
   * computes publishes only when the computation is over. A message that it sent earlier may belong to
   * another exchange, which should not wait.
   */
  lookAhead(): void {
    this.incoming.lookAhead();
  }

  /** For a handler: the `receive` that called it delivers no message after this one. */
  leave(): void {
    this.#goesOn = false;
  }

  /**
   * Publishes, then announces that only a doorbell will wake this side. Returns false and stays awake if a
   * message has arrived in the meantime; the caller must then call `receive` again.
   */
  sleep(): boolean {
    if (this.#state !== 'awake') return this.#state === 'sleeping';
    this.publish();
    if (!this.incoming.sleep()) return false;
    if (this.outgoing.tookRoom()) {
      // The other side freed room before it could see that this side sleeps, so it did not ring.
      this.incoming.wake();
      this.#events.onWritable();
      return false;
    }
    this.#state = 'sleeping';
    return true;
  }

  /** Takes the announcement of `sleep` back: the owner looks for messages by itself. */
  stayAwake(): void {
    if (this.#state === 'sleeping') this.#wake();
  }

  /** Makes a sleeping other side take a turn although there is no message for it. */
  wakePeer(): void {
    if (this.#state === 'corrupt' || this.#state === 'closed') return;
    if (this.outgoing.wakeConsumer()) this.#doorbell.ring();
  }

  /** Lets the doorbell keep this thread's event loop alive, which is also the initial state. */
  ref(): void {
    this.#doorbell.ref();
  }

  unref(): void {
    this.#doorbell.unref();
  }

  /** Idempotent. Afterwards nothing is sent, received or rung. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#doorbell.close();
  }

  /**
   * Decodes one message and calls the handler. Throws `corrupt` for a message that the other end may not
   * send.
   */
  protected abstract dispatch(offset: number, length: number): void;

  /** Checks the slot of the message just started; a slot out of range makes the channel corrupt. */
  protected slot(value: number): number {
    // The comparison is also false for NaN and for non-integers, which result from reading past the record.
    if (value >= 0 && value < this.claims.slots) return value;
    throw corrupt(`a slot below ${this.claims.slots}`, value);
  }

  /** Claims room in the outgoing ring and points the encoder at it. */
  protected begin(bound: number): boolean {
    if (this.#state === 'corrupt' || this.#state === 'closed') return false;
    // If an error was thrown between a claim and its commit, nothing was sent. The open claim must be
    // cancelled, because it would block all further sends.
    this.outgoing.abort();
    const offset = this.outgoing.claim(bound);
    if (offset >= 0) {
      this.#claimed = offset;
      this.encoder.position = offset;
      return true;
    }
    if (offset !== FULL) this.#fail(corrupt('a read position within the ring', 'one outside'));
    return false;
  }

  protected commit(): true {
    this.outgoing.commit(this.encoder.position - this.#claimed);
    try {
      if (this.#exposes) this.outgoing.expose();
      const { pendingBytes } = this.outgoing;
      if (pendingBytes >= this.#publishFromBytes && (pendingBytes >= this.#ringFromBytes || !this.peerSleeps))
        this.publish();
    } catch (error) {
      // A recursing application may have exhausted the stack here. The message is in the ring and must not
      // count as unsent: the sender would send it again, and it would end two exchanges. The next turn
      // publishes it.
      if (!(error instanceof RangeError)) throw error;
    }
    return true;
  }

  /** Sends one DATA message, in either direction. */
  protected data(
    kind: number,
    slot: number,
    flags: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    if (!this.begin(INTEGERS_BOUND + binaryBound(end - start))) return false;
    this.encoder.message(4, kind, slot);
    this.encoder.integer(flags);
    this.encoder.binary(bytes, start, end);
    return this.commit();
  }

  #release(): void {
    // The producer of the incoming ring waits for room. That side is also the consumer of the outgoing ring,
    // whose flag shows whether it sleeps.
    if (this.incoming.release() && this.outgoing.wakeConsumer()) this.#doorbell.ring();
  }

  #rung(): void {
    this.doorbellsHeard++;
    if (this.#state === 'sleeping') this.#wake();
    if (this.#state !== 'awake') return;
    if (this.outgoing.tookRoom()) this.#events.onWritable();
    this.#events.onWake();
  }

  #wake(): void {
    this.#state = 'awake';
    this.incoming.wake();
  }

  #fail(error: WireError): void {
    this.#state = 'corrupt';
    this.#events.onCorrupt(error);
  }
}
