/**
 * What the two ends of a channel share: claiming and committing records, publishing, receiving, sleep and waking. The
 * messages of each direction are in reactor-end.ts and thread-end.ts.
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
  /** Makes this end's doorbell; `onRing` is to be called each time the other end has rung. */
  readonly doorbell: (onRing: () => void) => Doorbell;
  readonly atomics: AtomicWords;
}

/** Room for an array head and the integers of any message. */
export const INTEGERS_BOUND = integersBound(6);
/**
 * This many bytes are published before the turn ends, so that the other side can work at the same time. Otherwise two
 * sides with a few dozen exchanges between them would be idle in turn.
 */
const PUBLISH_FROM_BYTES = 2048;
/** The same if the other side sleeps. Waking it costs as much as many messages, so it should find more of them. */
const RING_FROM_BYTES = 8192;

export interface ChannelOccupancy {
  readonly outgoingBytes: number;
  readonly outgoingCapacity: number;
  readonly incomingBytes: number;
  readonly incomingCapacity: number;
}

/**
 * What both ends do. Senders answer false when the ring is full, or the channel corrupt or closed: nothing was
 * written then, and after a full ring `onWritable` follows. What was sent becomes visible with `publish`.
 */
export abstract class ChannelEnd {
  /** Who has which exchange. */
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
  /** `sleeping`: announced to the other side. `corrupt` and `closed` are final. */
  #state: 'awake' | 'sleeping' | 'corrupt' | 'closed' = 'awake';
  /** The other side slept and has not been rung yet; as `#owesWake` of the ring. */
  #owesRing = false;
  /** How often this side has woken the other, and the other this one. Figures. */
  doorbellsRung = 0;
  doorbellsHeard = 0;
  /** `receive` goes on with the next message. */
  #goesOn = false;
  /** Start of the open claim in the outgoing ring. */
  #claimed = 0;

  /** @param exposes what is sent can be found by `lookAhead` of the other end before it is published */
  constructor(events: ChannelEvents, parts: ChannelParts, exposes: boolean) {
    this.#events = events;
    this.#exposes = exposes;
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

  /** The other side has announced its sleep and nobody has rung it since: it has nothing to do. */
  get peerSleeps(): boolean {
    return this.outgoing.consumerSleeps;
  }

  /** This side has announced its sleep, and nobody has rung since. */
  get isAsleep(): boolean {
    return this.#state === 'sleeping' && this.incoming.sleeps;
  }

  /**
   * Both sides have announced that they sleep, and nobody has rung since. Nothing happens until an owner starts
   * something, so no message may be waiting for the channel.
   */
  get isQuiet(): boolean {
    // The order matters: only this side announces its own sleep, so it already slept when it checked the other side.
    return this.#state === 'sleeping' && this.outgoing.consumerSleeps && this.incoming.sleeps;
  }

  /**
   * `receive` would call `onWritable`, and perhaps no doorbell says so: a sender that found room may have taken back the request of those
   * that wait. An owner that has sent something outside of a turn takes one.
   */
  get owesTurn(): boolean {
    return this.outgoing.hasRoomNews;
  }

  /** How full the rings are: the one to the other side, and the one from it. */
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
    if (this.outgoing.publish()) this.#owesRing = true;
    if (!this.#owesRing) return;
    this.#doorbell.ring();
    this.doorbellsRung++;
    this.#owesRing = false;
  }

  /**
   * Gives up to `limit` messages to the handler, in the order they were sent, and none after so many bytes of them. How many
   * there were.
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
        // An error thrown by a handler is its owner's and propagates to the owner. The message counts as handled
        // either way.
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
   * Makes `receive` also return messages that the other end has sent but not published. An end that computes
   * publishes only when the computation is over, and a message that it sent before may belong to another exchange,
   * which should not wait.
   */
  lookAhead(): void {
    this.incoming.lookAhead();
  }

  /** For a handler: the `receive` that called it gives no message after this one. */
  leave(): void {
    this.#goesOn = false;
  }

  /**
   * Publishes, then announces that only a doorbell will wake this side. Returns false and stays awake if a message
   * has arrived in the meantime: call `receive` again.
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

  /** Makes a sleeping other side take a turn, although there is no message for it. */
  wakePeer(): void {
    if (this.#state === 'corrupt' || this.#state === 'closed') return;
    if (this.outgoing.wakeConsumer()) this.#doorbell.ring();
  }

  /** The doorbell keeps this thread's event loop alive, as it does from the start. */
  ref(): void {
    this.#doorbell.ref();
  }

  unref(): void {
    this.#doorbell.unref();
  }

  /** Idempotent. Nothing is sent, received or rung afterwards. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#doorbell.close();
  }

  /** Decodes one message and calls the handler. Throws `corrupt` for one that the other end may not send. */
  protected abstract dispatch(offset: number, length: number): void;

  /** The slot of the message just started; out of range is corrupt. */
  protected slot(value: number): number {
    // Also false for NaN and non-integers: both result from bytes past the record.
    if (value >= 0 && value < this.claims.slots) return value;
    throw corrupt(`a slot below ${this.claims.slots}`, value);
  }

  /** Claims room and points the encoder at it. */
  protected begin(bound: number): boolean {
    if (this.#state === 'corrupt' || this.#state === 'closed') return false;
    // If an error was thrown between a claim and its commit, nothing was sent. The open claim must be cancelled,
    // because it would block all further sends.
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
      if (pendingBytes >= PUBLISH_FROM_BYTES && (pendingBytes >= RING_FROM_BYTES || !this.peerSleeps))
        this.publish();
    } catch (error) {
      // A recursing application may have exhausted the stack here. The message is in the ring and must not count as
      // unsent: sending it again would end two exchanges. The next turn publishes it.
      if (!(error instanceof RangeError)) throw error;
    }
    return true;
  }

  /** One DATA message of either direction. */
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
    // The producer of the incoming ring waits for room. It is also the consumer of the outgoing ring, whose flag
    // shows whether it sleeps.
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
