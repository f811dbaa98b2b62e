/**
 * The part of OPEN that follows the path, for the thread that runs the request. It is checked when it arrives
 * and decoded when it is read. Requests of one connection that differ in nothing else share one.
 */
import { copyInto } from './bytes.ts';
import { Decoder } from './decoder.ts';

/**
 * Where heads wait to be decoded, one behind the other. No application ever sees this memory: beside its own
 * data it would find that of other exchanges.
 */
const SLAB_BYTES = 16_384;
let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let slabUsedBytes = 0;

const decoder = new Decoder(slab);
const NO_FIELDS: readonly string[] = Object.freeze([]);
/**
 * The first field of a tunnel request that names a protocol. No field that a peer sends can have this name.
 */
const PROTOCOL_FIELD = ':protocol';
const SHORT_STRING = 0xa0;

export class RequestHead {
  readonly method: string;
  readonly hasTls: boolean;
  /** The first field is the protocol that the tunnel is asked for. */
  readonly hasProtocol: boolean;
  readonly #isShared: boolean;
  /** Null once the head has been decoded. */
  #bytes: Buffer | null;
  readonly #start: number;
  readonly #end: number;
  #remoteAddress = '';
  #remotePort = 0;
  #scheme = '';
  #authority = '';
  #version = '';
  #protocol = '';
  #fields = NO_FIELDS;
  #tls = '';

  /** @throws WireError `SLUICE_CHANNEL_CORRUPT` */
  private constructor(bytes: Buffer, start: number, end: number, hasTls: boolean, isShared: boolean) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.hasTls = hasTls;
    this.#isShared = isShared;
    decoder.within(bytes, start, end);
    decoder.skipString();
    decoder.integer();
    this.method = decoder.string();
    decoder.skipString();
    decoder.skipString();
    decoder.skipString();
    const count = decoder.fieldCount();
    let hasProtocol = false;
    for (let i = 0; i < count; i++) {
      if (i === 0 && bytes[decoder.position] === (SHORT_STRING | PROTOCOL_FIELD.length)) {
        hasProtocol = decoder.string() === PROTOCOL_FIELD;
      } else {
        decoder.skipString();
      }
    }
    this.hasProtocol = hasProtocol;
    if (hasTls) decoder.skipString();
    decoder.finish();
  }

  /**
   * Makes a head from bytes[start, end). The sender may overwrite them when this returns.
   * @throws WireError `SLUICE_CHANNEL_CORRUPT`
   */
  static of(bytes: Buffer, start: number, end: number, hasTls: boolean): RequestHead {
    const length = end - start;
    // The bytes are copied first and the copy is checked: a faulty reactor may write to the ring while it is
    // read.
    if (length > SLAB_BYTES >> 2) {
      const own = Buffer.allocUnsafeSlow(length);
      copyInto(own, 0, bytes, start, end);
      return new RequestHead(own, 0, length, hasTls, false);
    }
    if (slabUsedBytes + length > SLAB_BYTES) {
      slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      slabUsedBytes = 0;
    }
    const at = slabUsedBytes;
    slabUsedBytes += length;
    copyInto(slab, at, bytes, start, end);
    return new RequestHead(slab, at, at + length, hasTls, false);
  }

  /**
   * Makes a head for several exchanges, from bytes that are no longer written to.
   * @throws WireError `SLUICE_CHANNEL_CORRUPT`
   */
  static shared(bytes: Buffer, hasTls: boolean): RequestHead {
    return new RequestHead(bytes, 0, bytes.length, hasTls, true);
  }

  #decode(bytes: Buffer): void {
    decoder.within(bytes, this.#start, this.#end);
    this.#remoteAddress = decoder.string();
    this.#remotePort = decoder.integer();
    decoder.skipString();
    this.#scheme = decoder.string();
    this.#authority = decoder.string();
    this.#version = decoder.string();
    let fields = decoder.fields();
    if (this.hasProtocol) {
      this.#protocol = fields[1] as string;
      fields = fields.slice(2);
    }
    // Frozen, because the next application would see a change that this one makes.
    this.#fields = this.#isShared ? Object.freeze(fields) : fields;
    if (this.hasTls) this.#tls = decoder.string();
    // This comes last: an application that exhausts its stack can interrupt the decoding anywhere, and may
    // then ask again.
    this.#bytes = null;
  }

  get remoteAddress(): string {
    if (this.#bytes !== null) this.#decode(this.#bytes);
    return this.#remoteAddress;
  }

  get remotePort(): number {
    if (this.#bytes !== null) this.#decode(this.#bytes);
    return this.#remotePort;
  }

  get scheme(): string {
    if (this.#bytes !== null) this.#decode(this.#bytes);
    return this.#scheme;
  }

  get authority(): string {
    if (this.#bytes !== null) this.#decode(this.#bytes);
    return this.#authority;
  }

  get version(): string {
    if (this.#bytes !== null) this.#decode(this.#bytes);
    return this.#version;
  }

  /** The protocol that the tunnel is asked for; empty if none is named. */
  get protocol(): string {
    if (!this.hasProtocol) return '';
    if (this.#bytes !== null) this.#decode(this.#bytes);
    return this.#protocol;
  }

  /** Names and values in turn, without the protocol. Read-only. */
  get fields(): readonly string[] {
    if (this.#bytes !== null) this.#decode(this.#bytes);
    return this.#fields;
  }

  /**
   * What the reactor's TLS knows about the connection, collected once per connection; empty for cleartext.
   * Opaque here.
   */
  get tls(): string {
    if (!this.hasTls) return '';
    if (this.#bytes !== null) this.#decode(this.#bytes);
    return this.#tls;
  }
}
