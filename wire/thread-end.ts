/** A thread's end of a channel: it receives requests and sends responses. */

import { ByteCache } from './byte-cache.ts';
import { copyOf } from './bytes.ts';
import { corrupt, expectFields, expectInteger } from './decoder.ts';
import { binaryBound, fieldsBound, stringBound } from './encoder.ts';
import { ChannelEnd, type ChannelParts, INTEGERS_BOUND } from './end.ts';
import { keptResponse } from './kept-encoding.ts';
import { Flag, ReactorMessage, type ThreadHandler, ThreadMessage } from './messages.ts';
import { RequestHead } from './request-head.ts';

/** How each message begins: `elements << 8 | kind`. */
const OPEN = (13 << 8) | ReactorMessage.Open;
/** OPEN with TLS or an identifier; below, with both. */
const OPEN_LONGER = (14 << 8) | ReactorMessage.Open;
const OPEN_LONGEST = (15 << 8) | ReactorMessage.Open;
const DATA = (4 << 8) | ReactorMessage.Data;
const TRAILERS = (3 << 8) | ReactorMessage.Trailers;
const CREDIT = (3 << 8) | ReactorMessage.Credit;
const RESET = (4 << 8) | ReactorMessage.Reset;
const TIMES = (5 << 8) | ReactorMessage.Times;
const PROMISED = (5 << 8) | ReactorMessage.Promised;

/** The thread's end. */
export class ThreadEnd extends ChannelEnd {
  readonly #handler: ThreadHandler;
  readonly #heads = new ByteCache<RequestHead>();

  constructor(handler: ThreadHandler, parts: ChannelParts) {
    super(handler, parts, true);
    this.#handler = handler;
  }

  /** @param body the whole body, with `Flag.End`; null without `Flag.End`, or when there is none. */
  sendHead(
    slot: number,
    flags: number,
    status: number,
    fields: readonly string[],
    body: Uint8Array | null,
  ): boolean {
    const kept = keptResponse(status, fields);
    const bodyBound = body === null ? 1 : binaryBound(body.length);
    const headBound = kept === null ? fieldsBound(fields) : kept.length;
    if (!this.begin(INTEGERS_BOUND + bodyBound + headBound)) return false;
    const encoder = this.encoder;
    encoder.message(6, ThreadMessage.Head, slot);
    encoder.integer(flags);
    if (body === null) encoder.nil();
    else encoder.binary(body, 0, body.length);
    if (kept === null) {
      encoder.integer(status);
      encoder.fields(fields);
    } else {
      encoder.encoded(kept);
    }
    return this.commit();
  }

  sendInform(slot: number, status: number, fields: readonly string[]): boolean {
    if (!this.begin(INTEGERS_BOUND + fieldsBound(fields))) return false;
    this.encoder.message(4, ThreadMessage.Inform, slot);
    this.encoder.integer(status);
    this.encoder.fields(fields);
    return this.commit();
  }

  sendData(slot: number, flags: number, bytes: Uint8Array, start: number, end: number): boolean {
    return this.data(ThreadMessage.Data, slot, flags, bytes, start, end);
  }

  sendTrailers(slot: number, flags: number, fields: readonly string[]): boolean {
    if (!this.begin(INTEGERS_BOUND + fieldsBound(fields))) return false;
    this.encoder.message(4, ThreadMessage.Trailers, slot);
    this.encoder.integer(flags);
    this.encoder.fields(fields);
    return this.commit();
  }

  sendCredit(slot: number, granted: number, consumed: number): boolean {
    if (!this.begin(INTEGERS_BOUND)) return false;
    this.encoder.message(4, ThreadMessage.Credit, slot);
    this.encoder.integer(granted);
    this.encoder.integer(consumed);
    return this.commit();
  }

  sendReset(slot: number, flags: number, code: number, reason: number): boolean {
    if (!this.begin(INTEGERS_BOUND)) return false;
    this.encoder.message(5, ThreadMessage.Reset, slot);
    this.encoder.integer(flags);
    this.encoder.integer(code);
    this.encoder.integer(reason);
    return this.commit();
  }

  sendClosed(slot: number): boolean {
    if (!this.begin(INTEGERS_BOUND)) return false;
    this.encoder.message(2, ThreadMessage.Closed, slot);
    return this.commit();
  }

  sendPush(slot: number, number: number, method: string, path: string, fields: readonly string[]): boolean {
    const bound = INTEGERS_BOUND + stringBound(method) + stringBound(path) + fieldsBound(fields);
    if (!this.begin(bound)) return false;
    this.encoder.message(6, ThreadMessage.Push, slot);
    this.encoder.integer(number);
    this.encoder.string(method);
    this.encoder.string(path);
    this.encoder.fields(fields);
    return this.commit();
  }

  sendPad(slot: number, toMultipleOf: number): boolean {
    if (!this.begin(INTEGERS_BOUND)) return false;
    this.encoder.message(3, ThreadMessage.Pad, slot);
    this.encoder.integer(toMultipleOf);
    return this.commit();
  }

  protected override dispatch(offset: number, length: number): void {
    const decoder = this.decoder;
    const handler = this.#handler;
    switch (decoder.start(offset, length)) {
      case OPEN:
        this.#open(0);
        return;
      case OPEN_LONGER:
        this.#open(1);
        return;
      case OPEN_LONGEST:
        this.#open(2);
        return;
      case DATA: {
        const slot = this.slot(decoder.integer());
        const flags = decoder.integer();
        decoder.binary();
        handler.onData(slot, flags, this.incoming.bytes, decoder.position, decoder.end);
        return;
      }
      case TRAILERS: {
        const [, slot, fields] = decoder.whole();
        handler.onTrailers(this.slot(expectInteger(slot)), expectFields(fields));
        return;
      }
      case CREDIT: {
        const slot = this.slot(decoder.integer());
        const bytes = decoder.integer();
        decoder.finish();
        handler.onCredit(slot, bytes);
        return;
      }
      case RESET: {
        const slot = this.slot(decoder.integer());
        const code = decoder.integer();
        const by = decoder.integer();
        decoder.finish();
        handler.onReset(slot, code, by);
        return;
      }
      case PROMISED: {
        const slot = this.slot(decoder.integer());
        const number = decoder.integer();
        const accepted = decoder.integer() !== 0;
        const pushSlot = this.slot(decoder.integer());
        decoder.finish();
        handler.onPromised(slot, number, accepted, pushSlot);
        return;
      }
      case TIMES: {
        const slot = this.slot(decoder.integer());
        const generation = decoder.integer();
        const atUs = decoder.integer();
        const status = decoder.integer();
        decoder.finish();
        handler.onTimes(slot, generation, atUs, status);
        return;
      }
      default:
        throw corrupt('a message of the reactor', 'another');
    }
  }

  /** @param more how many elements the message has beyond the minimum */
  #open(more: number): void {
    const decoder = this.decoder;
    const slot = this.slot(decoder.integer());
    const generation = decoder.integer();
    const flags = decoder.integer();
    const receivedAtUs = decoder.integer();
    const path = decoder.string();
    const hasId = (flags & Flag.HasId) !== 0;
    const id = hasId ? decoder.string() : '';
    const forTls = hasId ? more - 1 : more;
    if (forTls !== 0 && forTls !== 1) throw corrupt('as many elements as the flags say', 'others');
    this.#handler.onOpen(slot, generation, flags, receivedAtUs, path, this.#requestHead(forTls === 1), id);
  }

  /** Reads the rest of OPEN. */
  #requestHead(hasTls: boolean): RequestHead {
    const { bytes } = this.incoming;
    const { position, end } = this.decoder;
    const known = this.#heads.get(bytes, position, end);
    if (known !== null) {
      if (known.hasTls !== hasTls) throw corrupt('as many elements as the message says', 'others');
      return known;
    }
    if (!this.#heads.isRepeated) return RequestHead.of(bytes, position, end, hasTls);
    const key = copyOf(bytes, position, end);
    const head = RequestHead.shared(key, hasTls);
    this.#heads.set(key, head);
    return head;
  }
}
