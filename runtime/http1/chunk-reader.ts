/**
 * Reads the framing of chunked content (RFC 9112 section 7.1) byte by byte, so that the outcome does not depend
 * on how the network cuts the bytes. It reports where content lies and copies none of it.
 *
 *   size [;name[=value]]… CRLF  data CRLF  …  0 [;…] CRLF      the request reader reads the trailer section after it
 *
 * White space around a semicolon or an equals sign (BWS) is refused, because tiers have read it in different ways.
 */
import { HEX_VALUE, QUOTED_TEXT, TOKEN } from './characters.ts';
import type { ChunkBudget } from './chunk-budget.ts';

const State = {
  /** The first digit of a size. */
  Size: 0,
  MoreSize: 1,
  ExtensionName: 2,
  MoreExtensionName: 3,
  ExtensionValue: 4,
  MoreExtensionValue: 5,
  Quoted: 6,
  QuotedPair: 7,
  AfterQuoted: 8,
  SizeLf: 9,
  Data: 10,
  DataCr: 11,
  DataLf: 12,
} as const;
type State = (typeof State)[keyof typeof State];

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Digits of one size, including leading zeros. */
const MAX_SIZE_DIGITS = 16;
/**
 * The chunk extensions of a message may take this many bytes, plus an eighth of its content. A signature in
 * each chunk of 8 KiB takes a hundredth. Endless extensions have made servers read without any progress
 * (CVE-2024-22019, CVE-2023-39326).
 */
const FREE_EXTENSION_BYTES = 16_384;

export const ChunkVerdict = {
  /** All bytes have been read. */
  More: 0,
  /** Content lies at [start, end). Continue reading at `end`. */
  Content: 1,
  /** The last chunk has been read; the trailer section begins at `end`. */
  Last: 2,
  Malformed: 3,
} as const;
export type ChunkVerdict = (typeof ChunkVerdict)[keyof typeof ChunkVerdict];

export class ChunkReader {
  readonly #budget: ChunkBudget;
  #state: State = State.Size;
  #digits = 0;
  /** Bytes of the current chunk that are still to come. */
  #remaining = 0;
  #contentBytes = 0;
  #extensionBytes = 0;
  /** Where the content lies, or where to continue reading. */
  start = 0;
  end = 0;
  /** The reason, for the person who reads the response. */
  why = '';

  /** @param budget the budget of the connection */
  constructor(budget: ChunkBudget) {
    this.#budget = budget;
  }

  /** Reads bytes[at,end) up to the next piece of content or the end of the last chunk. */
  read(bytes: Uint8Array, at: number, end: number): ChunkVerdict {
    let state = this.#state;
    while (at < end) {
      const byte = bytes[at] as number;
      switch (state) {
        case State.Data: {
          const count = Math.min(this.#remaining, end - at);
          this.#remaining -= count;
          this.#contentBytes += count;
          this.#budget.earn(count);
          this.#state = this.#remaining === 0 ? State.DataCr : State.Data;
          this.start = at;
          this.end = at + count;
          return ChunkVerdict.Content;
        }
        case State.DataCr:
          if (byte !== CR) return this.#malformed('chunk data is longer than its size');
          state = State.DataLf;
          break;
        case State.DataLf:
          if (byte !== LF) return this.#malformed('chunk data does not end in CRLF');
          state = State.Size;
          break;
        case State.Size: {
          const digit = HEX_VALUE[byte] as number;
          if (digit < 0) return this.#malformed('a chunk size is malformed');
          this.#remaining = digit;
          this.#digits = 1;
          state = State.MoreSize;
          break;
        }
        case State.MoreSize: {
          const digit = HEX_VALUE[byte] as number;
          if (digit >= 0) {
            const size = this.#remaining * 16 + digit;
            if (++this.#digits > MAX_SIZE_DIGITS || size > Number.MAX_SAFE_INTEGER)
              return this.#malformed('a chunk size is too large');
            this.#remaining = size;
          } else if (byte === CR) state = State.SizeLf;
          else if (byte === SEMICOLON) state = State.ExtensionName;
          else return this.#malformed('a chunk size is malformed');
          break;
        }
        case State.SizeLf:
          if (byte !== LF) return this.#malformed('a chunk size does not end in CRLF');
          if (this.#remaining === 0) {
            this.end = at + 1;
            return ChunkVerdict.Last;
          }
          if (!this.#budget.spend()) return this.#malformed('there are too many small chunks');
          state = State.Data;
          break;
        default:
          state = this.#extension(state, byte);
          if (state === State.Size) {
            return this.#malformed('a chunk extension is malformed');
          }
          if (++this.#extensionBytes > FREE_EXTENSION_BYTES + (this.#contentBytes >>> 3))
            return this.#malformed('the chunk extensions are too long');
      }
      at++;
    }
    this.#state = state;
    return ChunkVerdict.More;
  }

  /** @returns the next state; Size: the byte is not allowed here */
  #extension(state: State, byte: number): State {
    switch (state) {
      case State.ExtensionName:
        return TOKEN[byte] === 1 ? State.MoreExtensionName : State.Size;
      case State.MoreExtensionName:
        if (TOKEN[byte] === 1) return state;
        return byte === EQUALS ? State.ExtensionValue : behindExtension(byte);
      case State.ExtensionValue:
        if (byte === QUOTE) return State.Quoted;
        return TOKEN[byte] === 1 ? State.MoreExtensionValue : State.Size;
      case State.MoreExtensionValue:
        return TOKEN[byte] === 1 ? state : behindExtension(byte);
      case State.Quoted:
        if (QUOTED_TEXT[byte] === 1) return state;
        if (byte === QUOTE) return State.AfterQuoted;
        return byte === BACKSLASH ? State.QuotedPair : State.Size;
      case State.QuotedPair:
        // Allowed after a backslash: any qdtext, and the two characters that need the backslash.
        return QUOTED_TEXT[byte] === 1 || byte === QUOTE || byte === BACKSLASH ? State.Quoted : State.Size;
      default:
        return behindExtension(byte);
    }
  }

  #malformed(why: string): ChunkVerdict {
    this.why = why;
    return ChunkVerdict.Malformed;
  }
}

function behindExtension(byte: number): State {
  if (byte === SEMICOLON) return State.ExtensionName;
  return byte === CR ? State.SizeLf : State.Size;
}
