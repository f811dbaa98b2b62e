/**
 * Reads the lines of a message (RFC 9112 sections 2.2 to 5): a request line, field lines, and the lines of a
 * trailer section. It reads byte by byte, so that every rule is about the first byte that breaks it. It
 * remembers how far it has read in a line and nothing of the line itself: its caller passes an incomplete
 * line again from the start.
 *
 * There is no leniency: one space in the request line, CRLF at the end of each line and nowhere else, no
 * folding, no space before a colon. The meaning of a head is checked here only as far as it decides whether
 * the message is a request.
 */

import { latin1String } from '../bytes/latin1.ts';
import { FIELD_CONTENT, TARGET, TOKEN } from './characters.ts';
import { FieldKind, fieldNameOf } from './field-names.ts';
import { type FieldSection, isRefused, SectionBuilder, type Version } from './field-section.ts';
import { beginsWith, type FieldSections, type KeptSection } from './field-sections.ts';
import { MAX_METHOD_BYTES, methodOf } from './methods.ts';
import type { Http1Options } from './options.ts';
import type { Refusal } from './refusal.ts';
import { parseTarget, type Target } from './target.ts';

export type LineLimits = Pick<Http1Options, 'maxTargetBytes' | 'maxHeaderBytes' | 'maxFieldLines'>;

/** The reader of the message that the lines belong to. */
export interface LineSink {
  /** A head is complete. */
  onHeadLines(method: string, target: Target, version: Version, section: FieldSection): void;
  /** A trailer section is complete, with or without lines. */
  onTrailerLines(fields: string[]): void;
  /** The input is not a valid head, or is one that the server refuses. */
  onLineFault(refusal: Refusal): void;
}

/** What the next byte belongs to. */
const Phase = {
  /** Empty lines are allowed before a request line (RFC 9112 section 2.2). */
  Start: 0,
  StartLf: 1,
  Method: 2,
  Target: 3,
  /** The line ends after its target, as in HTTP/0.9. */
  TargetLf: 4,
  Version: 5,
  FieldStart: 6,
  FieldName: 7,
  BeforeValue: 8,
  Value: 9,
  FieldLf: 10,
  HeadLf: 11,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const COLON = 0x3a;
const SLASH = 0x2f;
const ZERO = 0x30;

/** `HTTP/1.1` and its line end. The digits may differ. */
const VERSION = Buffer.from('HTTP/1.1\r\n', 'latin1');
const MAJOR_AT = 5;
const MINOR_AT = 7;

const ROOT: Target = { scheme: null, authority: null, path: '/' };

export class LineReader {
  readonly #sink: LineSink;
  readonly #options: LineLimits;
  readonly #sections: FieldSections;
  readonly #builder = new SectionBuilder();
  #phase: Phase = Phase.Start;
  /** How many bytes of the incomplete line have been scanned. */
  #scanned = 0;

  // For the line being read: offsets from its first byte.
  #methodEnd = 0;
  #targetEnd = 0;
  #nameEnd = 0;
  #valueStart = 0;
  #valueEnd = 0;
  #lineEnd = 0;
  // For the message being read.
  #method = '';
  #target: Target = ROOT;
  #version: Version = '1.1';
  /** Lines of the section being read, and the bytes that count towards `maxHeaderBytes`. */
  #lines = 0;
  #headBytes = 0;
  /** Null while the lines are those of a head. */
  #trailers: string[] | null = null;
  /** Where the head's first field line lies in the bytes being read; -1: it lay in earlier ones. */
  #sectionAt = -1;
  /** The bytes are one line that was put together, so they cannot contain a whole section. */
  #isGathered = false;
  /** The previous request's section, which a client mostly sends again. */
  #lastSection: KeptSection | null = null;

  constructor(sink: LineSink, options: LineLimits, sections: FieldSections) {
    this.#sink = sink;
    this.#options = options;
    this.#sections = sections;
  }

  /** A request line has begun and its head is incomplete. Empty lines begin nothing. */
  get isWithinHead(): boolean {
    return this.isWithinSection && this.#trailers === null;
  }

  /** As `isWithinHead`, or a trailer section is incomplete. */
  get isWithinSection(): boolean {
    return this.#phase >= Phase.Method;
  }

  /** How many bytes of the incomplete line have been scanned. */
  get scannedBytes(): number {
    return this.#scanned;
  }

  /** The following lines belong to a trailer section. */
  beginTrailers(): void {
    this.#trailers = [];
    this.#lines = 0;
    this.#headBytes = 0;
    this.#phase = Phase.FieldStart;
  }

  /** Other bytes follow: offsets into the earlier ones are no longer valid. */
  beginChunk(): void {
    this.#sectionAt = -1;
  }

  /** Nothing more is read. */
  stop(): void {
    this.#phase = Phase.Start;
    this.#trailers = null;
    this.#lastSection = null;
  }

  /**
   * Reads the lines in bytes[base,end), up to the end of a head or of a trailer section. The first line has
   * been scanned up to `from`.
   * @param isGathered the bytes were put together and hold at most one line
   * @returns where the incomplete line begins, or the offset after the section; any offset if the input was
   * refused
   */
  read(bytes: Uint8Array, base: number, from: number, end: number, isGathered: boolean): number {
    this.#isGathered = isGathered;
    let at = from;
    while (at < end) {
      switch (this.#phase) {
        case Phase.Start:
          if (bytes[at] === CR) {
            this.#phase = Phase.StartLf;
            at++;
            break;
          }
          this.#phase = Phase.Method;
          base = at;
          break;
        case Phase.StartLf:
          if (bytes[at] !== LF) return this.#fault(400, 'a bare CR comes before the request line');
          at++;
          base = at;
          this.#phase = Phase.Start;
          break;
        case Phase.Method: {
          const most = base + MAX_METHOD_BYTES;
          const stop = Math.min(most, end);
          while (at < stop && TOKEN[bytes[at] as number] === 1) at++;
          if (at === end) break;
          if (bytes[at] !== SP || at === base) {
            if (at === most && TOKEN[bytes[at] as number] === 1)
              return this.#fault(501, 'the method is unknown');
            return this.#fault(400, 'the request line has no method, or none that is a token');
          }
          const method = methodOf(bytes, base, at);
          if (method === null) return this.#fault(501, 'the method is unknown');
          this.#method = method;
          this.#methodEnd = at - base;
          at++;
          this.#phase = Phase.Target;
          break;
        }
        case Phase.Target: {
          const start = base + this.#methodEnd + 1;
          const most = start + Math.min(this.#options.maxTargetBytes, this.#options.maxHeaderBytes);
          const stop = Math.min(most, end);
          while (at < stop && TARGET[bytes[at] as number] === 1) at++;
          if (at === end) break;
          const byte = bytes[at] as number;
          if (byte !== SP || at === start) {
            if (TARGET[byte] === 1) return this.#fault(414, 'the request target is too long');
            if (byte === CR && bytes[start] === SLASH) {
              at++;
              this.#phase = Phase.TargetLf;
              break;
            }
            return this.#fault(400, 'the request target is malformed');
          }
          this.#targetEnd = at - base;
          at++;
          this.#phase = Phase.Version;
          break;
        }
        case Phase.TargetLf:
          // RFC 9110 section 15.6.6: an HTTP/0.9 request has no version.
          if (bytes[at] === LF) return this.#fault(505, NO_VERSION);
          return this.#fault(400, 'the request target is malformed');
        case Phase.Version: {
          const start = base + this.#targetEnd + 1;
          const stop = Math.min(end, start + VERSION.length);
          for (; at < stop; at++) {
            const index = at - start;
            const byte = bytes[at] as number;
            if (index === MAJOR_AT || index === MINOR_AT ? isDigit(byte) : byte === VERSION[index]) continue;
            return this.#fault(400, 'the version, or the end of the request line, is malformed');
          }
          if (at < start + VERSION.length) break;
          if (!this.#requestLine(bytes, base)) return end;
          base = at;
          this.#sectionAt = !this.#isGathered ? at : -1;
          this.#phase = Phase.FieldStart;
          break;
        }
        case Phase.FieldStart: {
          if (bytes[at] === CR) {
            at++;
            this.#phase = Phase.HeadLf;
            break;
          }
          if (this.#lines === 0 && this.#trailers === null) {
            const kept = this.#repeated(bytes, at, end);
            if (kept !== null) {
              this.#endHead(kept.section);
              return this.#behind(at + kept.bytes.length);
            }
          }
          if (!this.#isGathered) {
            const next = this.#wholeLines(bytes, at, end);
            if (next !== at) {
              if (this.#phase !== Phase.FieldStart) return end;
              at = next;
              base = at;
              break;
            }
          }
          if (this.#lines >= this.#options.maxFieldLines)
            return this.#fault(431, 'there are too many field lines');
          this.#phase = Phase.FieldName;
          break;
        }
        case Phase.FieldName: {
          const most = base + this.#options.maxHeaderBytes - this.#headBytes;
          const stop = Math.min(most, end);
          while (at < stop && TOKEN[bytes[at] as number] === 1) at++;
          if (at === end) break;
          if (at === most) return this.#fault(431, 'the field section is too large');
          if (bytes[at] !== COLON || at === base)
            return this.#fault(400, 'a field name is malformed, or no colon follows it');
          this.#nameEnd = at - base;
          at++;
          this.#phase = Phase.BeforeValue;
          break;
        }
        case Phase.BeforeValue: {
          const most = base + this.#options.maxHeaderBytes - this.#headBytes;
          const stop = Math.min(most, end);
          while (at < stop && isSpace(bytes[at] as number)) at++;
          if (at === end) break;
          if (at === most) return this.#fault(431, 'the field section is too large');
          this.#valueStart = at - base;
          this.#valueEnd = at - base;
          this.#phase = Phase.Value;
          break;
        }
        case Phase.Value: {
          const most = base + this.#options.maxHeaderBytes - this.#headBytes;
          const stop = Math.min(most, end);
          while (at < stop && FIELD_CONTENT[bytes[at] as number] === 1) at++;
          if (at === end) break;
          if (at === most) return this.#fault(431, 'the field section is too large');
          if (bytes[at] !== CR) return this.#fault(400, 'a field value has a control character');
          let valueEnd = at - base;
          while (valueEnd > this.#valueStart && isSpace(bytes[base + valueEnd - 1] as number)) valueEnd--;
          this.#valueEnd = valueEnd;
          this.#lineEnd = at - base;
          at++;
          this.#phase = Phase.FieldLf;
          break;
        }
        case Phase.FieldLf:
          if (bytes[at] !== LF) return this.#fault(400, 'a field line contains a bare CR');
          at++;
          if (!this.#fieldLine(bytes, base, at)) return end;
          base = at;
          this.#phase = Phase.FieldStart;
          break;
        case Phase.HeadLf:
          if (bytes[at] !== LF) return this.#fault(400, 'a bare CR follows the field lines');
          at++;
          this.#endSection(bytes, at);
          return this.#behind(at);
      }
    }
    this.#scanned = at - base;
    return base;
  }

  /** A section is complete, and the next line has not been scanned. */
  #behind(at: number): number {
    this.#scanned = 0;
    return at;
  }

  /**
   * Reads valid field lines that lie whole in bytes[at,end), which nearly all do. It stops at any other line,
   * and `read` then reads that line byte by byte and finds out what it is.
   * @returns where that line begins
   */
  #wholeLines(bytes: Uint8Array, at: number, end: number): number {
    const { maxFieldLines, maxHeaderBytes } = this.#options;
    while (at < end && this.#lines < maxFieldLines) {
      let to = at;
      while (to < end && TOKEN[bytes[to] as number] === 1) to++;
      const nameEnd = to;
      if (to >= end || bytes[to] !== COLON || to === at) return at;
      to++;
      while (to < end && isSpace(bytes[to] as number)) to++;
      const valueStart = to;
      while (to < end && FIELD_CONTENT[bytes[to] as number] === 1) to++;
      const lineEnd = to;
      if (to + 1 >= end || bytes[to] !== CR || bytes[to + 1] !== LF) return at;
      to += 2;
      if (this.#headBytes + to - at + 1 > maxHeaderBytes) return at;
      let valueEnd = lineEnd;
      while (valueEnd > valueStart && isSpace(bytes[valueEnd - 1] as number)) valueEnd--;
      this.#nameEnd = nameEnd - at;
      this.#valueStart = valueStart - at;
      this.#valueEnd = valueEnd - at;
      this.#lineEnd = lineEnd - at;
      if (!this.#fieldLine(bytes, at, to)) return to;
      at = to;
    }
    return at;
  }

  /** @returns whether the request line may belong to a valid request */
  #requestLine(bytes: Uint8Array, base: number): boolean {
    const from = base + this.#methodEnd + 1;
    const target = latin1String(bytes, from, this.#targetEnd - this.#methodEnd - 1);
    const versionAt = base + this.#targetEnd + 1;
    if (bytes[versionAt + MAJOR_AT] !== ZERO + 1) {
      this.#fault(505, NO_VERSION);
      return false;
    }
    // RFC 9110 section 2.5: an unknown minor version is treated as the highest known one.
    this.#version = bytes[versionAt + MINOR_AT] === ZERO ? '1.0' : '1.1';
    const parsed = parseTarget(this.#method, target);
    if (parsed === null) {
      this.#fault(400, 'the request target is malformed');
      return false;
    }
    this.#target = parsed;
    this.#lines = 0;
    this.#headBytes = target.length;
    return true;
  }

  /**
   * @param end the offset after the line
   * @returns whether to continue with the message
   */
  #fieldLine(bytes: Uint8Array, base: number, end: number): boolean {
    const name = fieldNameOf(bytes, base, base + this.#nameEnd);
    const start = this.#valueStart;
    const value = latin1String(bytes, base + start, this.#valueEnd - start);
    this.#lines++;
    // A space after the colon counts whether it is present or not: the limit is about the content of a head,
    // not its spelling.
    this.#headBytes += end - base + (start === this.#nameEnd + 1 ? 1 : 0);
    if (this.#headBytes > this.#options.maxHeaderBytes) {
      this.#fault(431, 'the field section is too large');
      return false;
    }
    if (this.#trailers !== null) {
      if (name.kind === FieldKind.ContentLength || name.kind === FieldKind.TransferEncoding) {
        this.#fault(400, 'the trailers contain a field that defines the length of the message');
        return false;
      }
      this.#trailers.push(name.text, value);
      return true;
    }
    const refusal = this.#builder.add(name, value, this.#lineEnd > this.#valueEnd);
    if (refusal === null) return true;
    this.#refuse(refusal);
    return false;
  }

  /** The previous request's section, if this request has the same. */
  #repeated(bytes: Uint8Array, at: number, end: number): KeptSection | null {
    const kept = this.#lastSection;
    if (kept === null || this.#version !== '1.1' || !beginsWith(kept, bytes, at, end)) return null;
    return this.#headBytes + kept.headBytes <= this.#options.maxHeaderBytes ? kept : null;
  }

  /**
   * The empty line has arrived.
   * @param at the offset after it
   */
  #endSection(bytes: Uint8Array, at: number): void {
    const trailers = this.#trailers;
    if (trailers !== null) {
      this.#trailers = null;
      this.#phase = Phase.Start;
      this.#sink.onTrailerLines(trailers);
      return;
    }
    const section = this.#builder.finish(this.#version);
    if (isRefused(section)) {
      this.#refuse(section);
      return;
    }
    if (this.#sectionAt >= 0 && !this.#isGathered && this.#version === '1.1') {
      const counted = this.#headBytes - this.#targetEnd + this.#methodEnd + 1;
      this.#lastSection = this.#sections.keep(bytes, this.#sectionAt, at, section, counted);
    }
    this.#endHead(section);
  }

  #endHead(section: FieldSection): void {
    // RFC 9110 section 4.2.1: an http URI names a host. RFC 9112 section 3.3 lets a server reject a request
    // without one.
    if (section.host === '' && this.#target.authority === null && this.#version === '1.1') {
      this.#fault(400, 'the Host field is empty, and the target names no host');
      return;
    }
    // Set before the call, because the sink may stop this reader.
    this.#phase = Phase.Start;
    this.#sink.onHeadLines(this.#method, this.#target, this.#version, section);
  }

  /** @returns an offset behind everything, for callers that return one */
  #fault(status: number, why: string): number {
    this.#refuse({ status, why });
    return Number.MAX_SAFE_INTEGER;
  }

  #refuse(refusal: Refusal): void {
    this.#sink.onLineFault(refusal);
  }
}

const NO_VERSION = 'the version is neither 1.0 nor 1.1';

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9;
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === HTAB;
}
