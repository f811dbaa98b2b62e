/**
 * Bytes into requests (RFC 9112), however the network cut them: what it says of a sequence of bytes is a function of those
 * bytes alone, so every rule is a rule about the first byte that breaks it.
 *
 *   empty lines ─▶ request line ─▶ field lines ─▶ content ─▶ the next request
 *                                                 chunks ─▶ trailer lines ─▶ the next request
 *
 * A line that lies whole in a chunk is read where it lies. One that is split is gathered, in a buffer that grows with what
 * has come, and read on from where its scan stopped. Content is never gathered but for small chunks (see `ContentPieces`).
 *
 * There is no leniency: one space in the request line, CRLF at the end of each line and nowhere else, no folding, no space
 * before a colon. What a head means is judged here as far as it decides whether and where the message ends.
 */

import { latin1String } from '../bytes/latin1.ts';
import { copyBytes } from '../bytes/output-buffers.ts';
import { FIELD_CONTENT, TARGET, TOKEN } from './characters.ts';
import { ChunkBudget } from './chunk-budget.ts';
import { ChunkReader, ChunkVerdict } from './chunk-reader.ts';
import type { ContentPieces } from './content-pieces.ts';
import { FieldKind, fieldNameOf } from './field-names.ts';
import { CHUNKED, type FieldSection, isRefused, SectionBuilder, type Version } from './field-section.ts';
import { beginsWith, type FieldSections, type KeptSection } from './field-sections.ts';
import { MAX_METHOD_BYTES, methodOf } from './methods.ts';
import type { Http1Options } from './options.ts';
import type { Refusal } from './refusal.ts';
import { parseTarget, type Target } from './target.ts';

export interface RequestSink {
  /** A head is whole. Its content follows, if it has any, unless the sink calls `stop`. */
  onHead(method: string, target: Target, version: Version, section: FieldSection): void;
  /** Content at bytes[start,end), during the call only; `last`: the request is whole with it. */
  onContent(bytes: Uint8Array, start: number, end: number, last: boolean): void;
  /** A trailer section with at least one line, which ends the request. */
  onTrailers(fields: string[]): void;
  /** What has come is no request, or not one that is taken; nothing more is read. */
  onReadFault(refusal: Refusal): void;
}

/** What the next byte belongs to. Those up to HeadLf are read by lines. */
const Phase = {
  /** Empty lines may stand before a request line (RFC 9112 section 2.2). */
  Start: 0,
  StartLf: 1,
  Method: 2,
  Target: 3,
  /** A line ends behind its target, as in HTTP/0.9. */
  TargetLf: 4,
  Version: 5,
  FieldStart: 6,
  FieldName: 7,
  BeforeValue: 8,
  Value: 9,
  FieldLf: 10,
  HeadLf: 11,
  Content: 12,
  Chunks: 13,
  Nothing: 14,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const HTAB = 0x09;
const COLON = 0x3a;
const SLASH = 0x2f;
const ZERO = 0x30;

/** `HTTP/1.1` and its line end; the digits may be others. */
const VERSION = Buffer.from('HTTP/1.1\r\n', 'latin1');
const MAJOR_AT = 5;
const MINOR_AT = 7;

export type ReadLimits = Pick<
  Http1Options,
  'maxTargetBytes' | 'maxHeaderBytes' | 'maxFieldLines' | 'smallChunks'
>;

const ROOT: Target = { scheme: null, authority: null, path: '/' };

/** First size of the gathering buffer; it doubles. */
const LEAST_GATHER_BYTES = 256;

export class RequestReader {
  readonly #sink: RequestSink;
  readonly #options: ReadLimits;
  readonly #sections: FieldSections;
  readonly #pieces: ContentPieces;
  readonly #builder = new SectionBuilder();
  #phase: Phase = Phase.Start;

  // The line being read: offsets from its first byte.
  #methodEnd = 0;
  #targetEnd = 0;
  #nameEnd = 0;
  #valueStart = 0;
  #valueEnd = 0;
  #lineEnd = 0;
  /** A line that earlier chunks began, and how far it has been looked at. */
  #gathered: Buffer | null = null;
  #gatheredBytes = 0;
  #scanned = 0;

  // The message being read.
  #method = '';
  #target: Target = ROOT;
  #version: Version = '1.1';
  /** Lines of the section being read, and bytes that count against `maxHeaderBytes`. */
  #lines = 0;
  #headBytes = 0;
  /** Null: the lines are those of a head. */
  #trailers: string[] | null = null;
  /** Content that is still to come; with chunks it is the chunk reader's business. */
  #remaining = 0;
  #chunks: ChunkReader | null = null;
  /** Of the connection, as soon as it has sent chunks. */
  #chunkBudget: ChunkBudget | null = null;
  /** Where the first field line of the head lies in the chunk being read; -1: in an earlier one. */
  #sectionAt = -1;
  /** The section of the request before, which a client mostly sends again. */
  #lastSection: KeptSection | null = null;

  constructor(sink: RequestSink, options: ReadLimits, sections: FieldSections, pieces: ContentPieces) {
    this.#sink = sink;
    this.#options = options;
    this.#sections = sections;
    this.#pieces = pieces;
  }

  /** A request line has begun and its head is not whole. Empty lines begin nothing. */
  get isWithinHead(): boolean {
    const phase = this.#phase;
    return phase >= Phase.Method && phase <= Phase.HeadLf && this.#trailers === null;
  }

  /** The head, content or trailers of a request are not whole. */
  get isWithinMessage(): boolean {
    return this.#phase >= Phase.Method && this.#phase !== Phase.Nothing;
  }

  /** So much time has passed. */
  advance(elapsedMs: number): void {
    this.#chunkBudget?.refill(elapsedMs);
  }

  /** Nothing is read any more. Mostly called by the sink, from within `read`. */
  stop(): void {
    this.#phase = Phase.Nothing;
    this.#gathered = null;
    this.#gatheredBytes = 0;
    this.#lastSection = null;
  }

  /**
   * Reads all of the chunk, unless stopped on the way.
   * @returns the offset behind what was read
   */
  read(chunk: Uint8Array): number {
    const end = chunk.length;
    let at = 0;
    this.#sectionAt = -1;
    while (at < end && this.#phase !== Phase.Nothing) {
      if (this.#phase === Phase.Content) at = this.#readContent(chunk, at, end);
      else if (this.#phase === Phase.Chunks) at = this.#readChunks(chunk, at, end);
      else if (this.#gatheredBytes > 0) at = this.#readGathered(chunk, at, end);
      else at = this.#readWhole(chunk, at, end);
    }
    if (this.#phase === Phase.Nothing) this.#pieces.clear();
    else this.#pieces.flush(this.#sink, false);
    return at;
  }

  // ---- lines

  /** Lines that lie in the chunk; what is left of one is gathered. */
  #readWhole(chunk: Uint8Array, at: number, end: number): number {
    const base = this.#readLines(chunk, at, at, end);
    if (base === end || this.#phase > Phase.HeadLf) return base;
    this.#gather(chunk, base, end);
    return end;
  }

  /** The rest of a line that earlier chunks began. */
  #readGathered(chunk: Uint8Array, at: number, end: number): number {
    let to = at;
    while (to < end && chunk[to] !== LF) to++;
    if (to < end) to++;
    this.#gather(chunk, at, to);
    const gathered = this.#gathered as Buffer;
    const bytes = this.#gatheredBytes;
    // A line ends in the first LF there is, so that nothing lies behind it.
    const base = this.#readLines(gathered, 0, this.#scanned, bytes);
    if (base === bytes || this.#phase > Phase.HeadLf) {
      this.#gathered = null;
      this.#gatheredBytes = 0;
    }
    return to;
  }

  #gather(chunk: Uint8Array, start: number, end: number): void {
    const have = this.#gatheredBytes;
    const count = end - start;
    let gathered = this.#gathered;
    if (gathered === null || gathered.length < have + count) {
      const larger = Buffer.allocUnsafe(Math.max(LEAST_GATHER_BYTES, 2 * (have + count)));
      if (gathered !== null) copyBytes(larger, 0, gathered, 0, have);
      gathered = larger;
      this.#gathered = gathered;
    }
    copyBytes(gathered, have, chunk, start, end);
    this.#gatheredBytes = have + count;
  }

  /**
   * Reads lines of bytes[base,end), of which the first has been looked at up to `from`, as long as lines follow.
   * @returns where the line begins that is not whole yet, or the content
   */
  #readLines(bytes: Uint8Array, base: number, from: number, end: number): number {
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
          if (bytes[at] !== LF) return this.#fault(400, 'a bare CR stands before the request line');
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
              return this.#fault(501, 'the method is not known');
            return this.#fault(400, 'the request line has no method, or none that is a token');
          }
          const method = methodOf(bytes, base, at);
          if (method === null) return this.#fault(501, 'the method is not known');
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
          // RFC 9110 section 15.6.6: a request of HTTP/0.9 has no version.
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
          this.#sectionAt = this.#gatheredBytes === 0 ? at : -1;
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
              at += kept.bytes.length;
              base = at;
              break;
            }
          }
          if (this.#gatheredBytes === 0) {
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
          if (bytes[at] !== LF) return this.#fault(400, 'a bare CR stands in a field line');
          at++;
          if (!this.#fieldLine(bytes, base, at)) return end;
          base = at;
          this.#phase = Phase.FieldStart;
          break;
        case Phase.HeadLf:
          if (bytes[at] !== LF) return this.#fault(400, 'a bare CR stands behind the field lines');
          at++;
          this.#endSection(bytes, at);
          base = at;
          break;
        default:
          return at;
      }
    }
    this.#scanned = at - base;
    return base;
  }

  /**
   * Reads field lines that lie whole in bytes[at,end) and have nothing wrong with them: nearly all. At any other it stops, for
   * `#readLines` to read it byte by byte and find what it is.
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

  /** @returns whether the request line may be that of a request */
  #requestLine(bytes: Uint8Array, base: number): boolean {
    const from = base + this.#methodEnd + 1;
    const target = latin1String(bytes, from, this.#targetEnd - this.#methodEnd - 1);
    const versionAt = base + this.#targetEnd + 1;
    if (bytes[versionAt + MAJOR_AT] !== ZERO + 1) {
      this.#fault(505, NO_VERSION);
      return false;
    }
    // RFC 9110 section 2.5: a minor version that we do not know is taken for the highest that we do.
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

  /** @param end behind the line. @returns whether the message goes on */
  #fieldLine(bytes: Uint8Array, base: number, end: number): boolean {
    const name = fieldNameOf(bytes, base, base + this.#nameEnd);
    const start = this.#valueStart;
    const value = latin1String(bytes, base + start, this.#valueEnd - start);
    this.#lines++;
    // A space behind the colon counts whether it is there or not: the limit is about what a head is, not how it is spelled.
    this.#headBytes += end - base + (start === this.#nameEnd + 1 ? 1 : 0);
    if (this.#headBytes > this.#options.maxHeaderBytes) {
      this.#fault(431, 'the field section is too large');
      return false;
    }
    if (this.#trailers !== null) {
      if (name.kind === FieldKind.ContentLength || name.kind === FieldKind.TransferEncoding) {
        this.#fault(400, 'the trailers say how long the message is');
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

  /** The section of the request before, if this request has the same. */
  #repeated(bytes: Uint8Array, at: number, end: number): KeptSection | null {
    const kept = this.#lastSection;
    if (kept === null || this.#version !== '1.1' || !beginsWith(kept, bytes, at, end)) return null;
    return this.#headBytes + kept.headBytes <= this.#options.maxHeaderBytes ? kept : null;
  }

  /** The empty line has come. @param at behind it */
  #endSection(bytes: Uint8Array, at: number): void {
    const trailers = this.#trailers;
    if (trailers !== null) {
      this.#trailers = null;
      this.#phase = Phase.Start;
      if (trailers.length === 0) this.#pieces.flush(this.#sink, true);
      else {
        this.#pieces.flush(this.#sink, false);
        this.#sink.onTrailers(trailers);
      }
      return;
    }
    const section = this.#builder.finish(this.#version);
    if (isRefused(section)) {
      this.#refuse(section);
      return;
    }
    if (this.#sectionAt >= 0 && this.#gatheredBytes === 0 && this.#version === '1.1') {
      const counted = this.#headBytes - this.#targetEnd + this.#methodEnd + 1;
      this.#lastSection = this.#sections.keep(bytes, this.#sectionAt, at, section, counted);
    }
    this.#endHead(section);
  }

  #endHead(section: FieldSection): void {
    const { contentLength, host } = section;
    // RFC 9110 section 4.2.1: an http URI names a host. RFC 9112 section 3.3 lets a server reject a request that names none.
    if (host === '' && this.#target.authority === null && this.#version === '1.1') {
      this.#fault(400, 'the Host field is empty, and the target names no host');
      return;
    }
    this.#remaining = contentLength;
    // Set before the call: the sink may stop us.
    if (contentLength === 0) this.#phase = Phase.Start;
    else if (contentLength === CHUNKED) {
      this.#chunkBudget ??= new ChunkBudget(this.#options.smallChunks);
      this.#chunks = new ChunkReader(this.#chunkBudget);
      this.#phase = Phase.Chunks;
    } else this.#phase = Phase.Content;
    this.#sink.onHead(this.#method, this.#target, this.#version, section);
  }

  // ---- content

  #readContent(chunk: Uint8Array, at: number, end: number): number {
    const count = Math.min(this.#remaining, end - at);
    this.#remaining -= count;
    const last = this.#remaining === 0;
    if (last) this.#phase = Phase.Start;
    this.#sink.onContent(chunk, at, at + count, last);
    return at + count;
  }

  #readChunks(chunk: Uint8Array, at: number, end: number): number {
    const chunks = this.#chunks as ChunkReader;
    while (this.#phase === Phase.Chunks) {
      switch (chunks.read(chunk, at, end)) {
        case ChunkVerdict.More:
          return end;
        case ChunkVerdict.Content:
          this.#pieces.add(this.#sink, chunk, chunks.start, chunks.end);
          at = chunks.end;
          break;
        case ChunkVerdict.Last:
          this.#chunks = null;
          this.#trailers = [];
          this.#lines = 0;
          this.#headBytes = 0;
          this.#phase = Phase.FieldStart;
          return chunks.end;
        case ChunkVerdict.Malformed:
          return this.#fault(400, chunks.why);
      }
    }
    return at;
  }

  // ---- the end

  /** @returns an offset behind everything, for callers that return one */
  #fault(status: number, why: string): number {
    this.#refuse({ status, why });
    return Number.MAX_SAFE_INTEGER;
  }

  #refuse(refusal: Refusal): void {
    // What came before the fault is content all the same.
    this.#pieces.flush(this.#sink, false);
    this.stop();
    this.#sink.onReadFault(refusal);
  }
}

const NO_VERSION = 'the version is neither 1.0 nor 1.1';

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9;
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === HTAB;
}
