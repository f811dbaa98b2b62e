/** The reactor's end of a channel: it sends requests and receives responses. */

import { ByteCache } from './byte-cache.ts';
import { copyOf } from './bytes.ts';
import { corrupt, Decoder, expectFields, expectInteger, expectString } from './decoder.ts';
import { fieldsBound, stringBound } from './encoder.ts';
import { ChannelEnd, type ChannelParts, INTEGERS_BOUND } from './end.ts';
import { keptFields, keptRequest } from './kept-encoding.ts';
import { Flag, type ReactorHandler, ReactorMessage, ThreadMessage } from './messages.ts';

/** Status and fields of HEAD, found again by their bytes. */
class ResponseHead {
  readonly status: number;
  readonly fields: readonly string[];

  constructor(status: number, fields: readonly string[]) {
    this.status = status;
    this.fields = fields;
  }
}

/** Decodes bytes that have been copied out of the ring. */
const aside = new Decoder(Buffer.alloc(0));

/** How each message begins: `elements << 8 | kind`. */
const HEAD = (6 << 8) | ThreadMessage.Head;
const INFORM = (4 << 8) | ThreadMessage.Inform;
const DATA = (4 << 8) | ThreadMessage.Data;
const TRAILERS = (4 << 8) | ThreadMessage.Trailers;
const CREDIT = (4 << 8) | ThreadMessage.Credit;
const RESET = (5 << 8) | ThreadMessage.Reset;
const CLOSED = (2 << 8) | ThreadMessage.Closed;
const PUSH = (6 << 8) | ThreadMessage.Push;
const PAD = (3 << 8) | ThreadMessage.Pad;

/** The reactor's end. */
export class ReactorEnd extends ChannelEnd {
  readonly #handler: ReactorHandler;
  readonly #heads = new ByteCache<ResponseHead>();

  constructor(handler: ReactorHandler, parts: ChannelParts) {
    super(handler, parts, false);
    this.#handler = handler;
  }

  /**
   * @param tls empty for cleartext
   * @param id empty if requests have no identifier; the message is then shorter by that element
   */
  sendOpen(
    slot: number,
    generation: number,
    flags: number,
    method: string,
    scheme: string,
    authority: string,
    path: string,
    version: string,
    remoteAddress: string,
    remotePort: number,
    receivedAtUs: number,
    fields: readonly string[],
    tls = '',
    id = '',
  ): boolean {
    const kept = keptRequest(remoteAddress, remotePort, method, scheme, authority, version, fields, tls);
    const fieldsKept = kept === null ? keptFields(fields) : null;
    const bound =
      INTEGERS_BOUND +
      stringBound(path) +
      (id === '' ? 0 : stringBound(id)) +
      (kept === null
        ? stringBound(remoteAddress) +
          stringBound(method) +
          stringBound(scheme) +
          stringBound(authority) +
          stringBound(version) +
          (fieldsKept === null ? fieldsBound(fields) : fieldsKept.length) +
          stringBound(tls)
        : kept.length);
    if (!this.begin(bound)) return false;
    const encoder = this.encoder;
    encoder.message((tls === '' ? 13 : 14) + (id === '' ? 0 : 1), ReactorMessage.Open, slot);
    encoder.integer(generation);
    encoder.integer(id === '' ? flags : (flags | Flag.HasId) >>> 0);
    encoder.integer(receivedAtUs);
    encoder.string(path);
    if (id !== '') encoder.string(id);
    if (kept === null) {
      encoder.request(remoteAddress, remotePort, method, scheme, authority, version, fields, tls, fieldsKept);
    } else {
      encoder.encoded(kept);
    }
    return this.commit();
  }

  sendData(slot: number, flags: number, bytes: Uint8Array, start: number, end: number): boolean {
    return this.data(ReactorMessage.Data, slot, flags, bytes, start, end);
  }

  sendTrailers(slot: number, fields: readonly string[]): boolean {
    if (!this.begin(INTEGERS_BOUND + fieldsBound(fields))) return false;
    this.encoder.message(3, ReactorMessage.Trailers, slot);
    this.encoder.fields(fields);
    return this.commit();
  }

  sendCredit(slot: number, bytes: number): boolean {
    if (!this.begin(INTEGERS_BOUND)) return false;
    this.encoder.message(3, ReactorMessage.Credit, slot);
    this.encoder.integer(bytes);
    return this.commit();
  }

  sendReset(slot: number, code: number, by: number): boolean {
    if (!this.begin(INTEGERS_BOUND)) return false;
    this.encoder.message(4, ReactorMessage.Reset, slot);
    this.encoder.integer(code);
    this.encoder.integer(by);
    return this.commit();
  }

  sendTimes(slot: number, generation: number, atUs: number, status: number): boolean {
    if (!this.begin(INTEGERS_BOUND)) return false;
    this.encoder.message(5, ReactorMessage.Times, slot);
    this.encoder.integer(generation);
    this.encoder.integer(atUs);
    this.encoder.integer(status);
    return this.commit();
  }

  sendPromised(slot: number, number: number, accepted: boolean, pushSlot: number): boolean {
    if (!this.begin(INTEGERS_BOUND)) return false;
    this.encoder.message(5, ReactorMessage.Promised, slot);
    this.encoder.integer(number);
    this.encoder.integer(accepted ? 1 : 0);
    this.encoder.integer(pushSlot);
    return this.commit();
  }

  protected override dispatch(offset: number, length: number): void {
    const decoder = this.decoder;
    const handler = this.#handler;
    switch (decoder.start(offset, length)) {
      case HEAD: {
        const slot = this.slot(decoder.integer());
        const flags = decoder.integer();
        decoder.content();
        const { contentStart, contentEnd } = decoder;
        const { status, fields } = this.#responseHead();
        handler.onHead(slot, flags, status, fields, this.incoming.bytes, contentStart, contentEnd);
        return;
      }
      case INFORM: {
        const [, slot, status, fields] = decoder.whole();
        handler.onInform(this.slot(expectInteger(slot)), expectInteger(status), expectFields(fields));
        return;
      }
      case DATA: {
        const slot = this.slot(decoder.integer());
        const flags = decoder.integer();
        decoder.binary();
        handler.onData(slot, flags, this.incoming.bytes, decoder.position, decoder.end);
        return;
      }
      case TRAILERS: {
        const [, slot, flags, fields] = decoder.whole();
        handler.onTrailers(this.slot(expectInteger(slot)), expectInteger(flags), expectFields(fields));
        return;
      }
      case CREDIT: {
        const slot = this.slot(decoder.integer());
        const granted = decoder.integer();
        const consumed = decoder.integer();
        decoder.finish();
        handler.onCredit(slot, granted, consumed);
        return;
      }
      case RESET: {
        const slot = this.slot(decoder.integer());
        const flags = decoder.integer();
        const code = decoder.integer();
        const reason = decoder.integer();
        decoder.finish();
        handler.onReset(slot, flags, code, reason);
        return;
      }
      case CLOSED: {
        const slot = this.slot(decoder.integer());
        decoder.finish();
        handler.onClosed(slot);
        return;
      }
      case PUSH: {
        const [, slot, number, method, path, fields] = decoder.whole();
        handler.onPush(
          this.slot(expectInteger(slot)),
          expectInteger(number),
          expectString(method),
          expectString(path),
          expectFields(fields),
        );
        return;
      }
      case PAD: {
        const slot = this.slot(decoder.integer());
        const toMultipleOf = decoder.integer();
        decoder.finish();
        handler.onPad(slot, toMultipleOf);
        return;
      }
      default:
        throw corrupt('a message of a thread', 'another');
    }
  }
  /** Reads the rest of HEAD. */
  #responseHead(): ResponseHead {
    const { bytes } = this.incoming;
    const { position, end } = this.decoder;
    const known = this.#heads.get(bytes, position, end);
    if (known !== null) return known;
    if (!this.#heads.isRepeated) return readResponseHead(this.decoder);
    // The head is made from a copy: a faulty thread may write to the ring while it is read.
    const key = copyOf(bytes, position, end);
    aside.within(key, 0, key.length);
    const head = readResponseHead(aside);
    Object.freeze(head.fields);
    this.#heads.set(key, head);
    return head;
  }
}

function readResponseHead(decoder: Decoder): ResponseHead {
  const status = decoder.integer();
  const fields = decoder.fields();
  decoder.finish();
  return new ResponseHead(status, fields);
}
