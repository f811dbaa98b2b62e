/**
 * Turns bytes into requests (RFC 9112). The outcome is a function of the sequence of bytes alone, however the network
 * cuts it.
 *
 *   empty lines ─▶ request line ─▶ field lines ─▶ content ─▶ the next request
 *                                                 chunks ─▶ trailer lines ─▶ the next request
 *
 * `LineReader` reads the lines. A line that lies whole in a chunk is read in place. A line that is split is gathered in
 * a buffer that grows with the bytes that arrive, and reading continues where the scan stopped. Content is never
 * gathered, except for small chunks (see `ContentPieces`).
 */

import { copyBytes } from '../bytes/output-buffers.ts';
import { ChunkBudget } from './chunk-budget.ts';
import { ChunkReader, ChunkVerdict } from './chunk-reader.ts';
import type { ContentPieces } from './content-pieces.ts';
import { CHUNKED, type FieldSection, type Version } from './field-section.ts';
import type { FieldSections } from './field-sections.ts';
import { type LineLimits, LineReader, type LineSink } from './line-reader.ts';
import type { Http1Options } from './options.ts';
import type { Refusal } from './refusal.ts';
import type { Target } from './target.ts';

export interface RequestSink {
  /** A head is complete. Its content follows, if it has any, unless the sink calls `stop`. */
  onHead(method: string, target: Target, version: Version, section: FieldSection): void;
  /** Content at bytes[start,end), valid only during the call. `last`: it completes the request. */
  onContent(bytes: Uint8Array, start: number, end: number, last: boolean): void;
  /** A trailer section with at least one line, which ends the request. */
  onTrailers(fields: string[]): void;
  /** The input is no valid request, or one that the server refuses. Nothing more is read. */
  onReadFault(refusal: Refusal): void;
}

/** What the next byte is part of. */
const Part = { Lines: 0, Content: 1, Chunks: 2, Nothing: 3 } as const;
type Part = (typeof Part)[keyof typeof Part];

const LF = 0x0a;

export type ReadLimits = LineLimits & Pick<Http1Options, 'smallChunks'>;

/** Initial size of the gathering buffer, which doubles as needed. */
const LEAST_GATHER_BYTES = 256;

export class RequestReader implements LineSink {
  readonly #sink: RequestSink;
  readonly #options: ReadLimits;
  readonly #pieces: ContentPieces;
  readonly #lines: LineReader;
  #part: Part = Part.Lines;
  /** The incomplete line that earlier chunks began. */
  #gathered: Buffer | null = null;
  #gatheredBytes = 0;
  /** Content that is still to come. For chunked content the chunk reader counts it. */
  #remaining = 0;
  #chunks: ChunkReader | null = null;
  /** The connection's budget, created when it first sends chunks. */
  #chunkBudget: ChunkBudget | null = null;

  constructor(sink: RequestSink, options: ReadLimits, sections: FieldSections, pieces: ContentPieces) {
    this.#sink = sink;
    this.#options = options;
    this.#pieces = pieces;
    this.#lines = new LineReader(this, options, sections);
  }

  /** A request line has begun and its head is incomplete. Empty lines begin nothing. */
  get isWithinHead(): boolean {
    return this.#part === Part.Lines && this.#lines.isWithinHead;
  }

  /** The head, content or trailers of a request are incomplete. */
  get isWithinMessage(): boolean {
    return this.#part === Part.Lines ? this.#lines.isWithinSection : this.#part !== Part.Nothing;
  }

  /** This much time has passed. */
  advance(elapsedMs: number): void {
    this.#chunkBudget?.refill(elapsedMs);
  }

  /** Nothing more is read. The sink mostly calls this from within `read`. */
  stop(): void {
    this.#part = Part.Nothing;
    this.#gathered = null;
    this.#gatheredBytes = 0;
    this.#lines.stop();
  }

  /**
   * Reads the whole chunk, unless stopped on the way.
   * @returns the offset after what was read
   */
  read(chunk: Uint8Array): number {
    const end = chunk.length;
    let at = 0;
    this.#lines.beginChunk();
    while (at < end && this.#part !== Part.Nothing) {
      if (this.#part === Part.Content) at = this.#readContent(chunk, at, end);
      else if (this.#part === Part.Chunks) at = this.#readChunks(chunk, at, end);
      else if (this.#gatheredBytes > 0) at = this.#readGathered(chunk, at, end);
      else at = this.#readWhole(chunk, at, end);
    }
    if (this.#part === Part.Nothing) this.#pieces.clear();
    else this.#pieces.flush(this.#sink, false);
    return at;
  }

  // ---- lines

  /** Reads the lines that lie in the chunk and gathers an incomplete one. */
  #readWhole(chunk: Uint8Array, at: number, end: number): number {
    const lines = this.#lines;
    const base = lines.read(chunk, at, at, end, false);
    // After a section, something other than lines may begin.
    if (base >= end || this.#part !== Part.Lines || base + lines.scannedBytes < end) return base;
    this.#gather(chunk, base, end);
    return end;
  }

  /** Reads the rest of a line that earlier chunks began. */
  #readGathered(chunk: Uint8Array, at: number, end: number): number {
    let to = at;
    while (to < end && chunk[to] !== LF) to++;
    if (to < end) to++;
    this.#gather(chunk, at, to);
    const gathered = this.#gathered as Buffer;
    const bytes = this.#gatheredBytes;
    // A line ends at its first LF, so nothing can lie behind it.
    const base = this.#lines.read(gathered, 0, this.#lines.scannedBytes, bytes, true);
    if (base === bytes || this.#part !== Part.Lines) {
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

  onHeadLines(method: string, target: Target, version: Version, section: FieldSection): void {
    const { contentLength } = section;
    this.#remaining = contentLength;
    // Set before the call, because the sink may stop this reader.
    if (contentLength === CHUNKED) {
      this.#chunkBudget ??= new ChunkBudget(this.#options.smallChunks);
      this.#chunks = new ChunkReader(this.#chunkBudget);
      this.#part = Part.Chunks;
    } else if (contentLength > 0) this.#part = Part.Content;
    this.#sink.onHead(method, target, version, section);
  }

  onTrailerLines(fields: string[]): void {
    if (fields.length === 0) this.#pieces.flush(this.#sink, true);
    else {
      this.#pieces.flush(this.#sink, false);
      this.#sink.onTrailers(fields);
    }
  }

  onLineFault(refusal: Refusal): void {
    this.#refuse(refusal);
  }

  // ---- content

  #readContent(chunk: Uint8Array, at: number, end: number): number {
    const count = Math.min(this.#remaining, end - at);
    this.#remaining -= count;
    const last = this.#remaining === 0;
    if (last) this.#part = Part.Lines;
    this.#sink.onContent(chunk, at, at + count, last);
    return at + count;
  }

  #readChunks(chunk: Uint8Array, at: number, end: number): number {
    const chunks = this.#chunks as ChunkReader;
    while (this.#part === Part.Chunks) {
      switch (chunks.read(chunk, at, end)) {
        case ChunkVerdict.More:
          return end;
        case ChunkVerdict.Content:
          this.#pieces.add(this.#sink, chunk, chunks.start, chunks.end);
          at = chunks.end;
          break;
        case ChunkVerdict.Last:
          this.#chunks = null;
          this.#lines.beginTrailers();
          this.#part = Part.Lines;
          return chunks.end;
        case ChunkVerdict.Malformed:
          this.#refuse({ status: 400, why: chunks.why });
          return end;
      }
    }
    return at;
  }

  #refuse(refusal: Refusal): void {
    // Bytes before the fault are valid content.
    this.#pieces.flush(this.#sink, false);
    this.stop();
    this.#sink.onReadFault(refusal);
  }
}
