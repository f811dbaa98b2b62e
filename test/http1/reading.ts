/** What the reader of requests makes of bytes: the requests it found, and where and why it stopped. */
import { ContentPieces } from '../../runtime/http1/content-pieces.ts';
import { FieldSections } from '../../runtime/http1/field-sections.ts';
import { type ReadLimits, RequestReader } from '../../runtime/http1/request-reader.ts';
import { passing } from '../bytes/passing.ts';

export interface ReadRequest {
  method: string;
  scheme: string | null;
  authority: string | null;
  path: string;
  version: string;
  host: string | null;
  fields: readonly string[];
  /** -1 means chunked. */
  contentLength: number;
  persists: boolean;
  awaitsInvitation: boolean;
  /** Values of Upgrade and Connection, then those of HTTP2-Settings. */
  upgrade: readonly string[] | null;
  content: string;
  trailers: readonly string[] | null;
  isWhole: boolean;
}

export interface Reading {
  readonly requests: readonly ReadRequest[];
  readonly refusal: { readonly status: number; readonly why: string } | null;
  /** Whether the bytes end within a request. */
  readonly isWithinMessage: boolean;
}

/** Larger than anything that a test sends without meaning to reach a limit. */
export const ROOMY: ReadLimits = {
  maxTargetBytes: 65_536,
  maxHeaderBytes: 1_048_576,
  maxFieldLines: 10_000,
  smallChunks: { burst: 1_000_000, perSecond: 0 },
};

/**
 * A reader whose owner records its events. The owner breaks the contract of no call, and detects if the
 * reader does.
 */
export class Recorder {
  readonly #requests: ReadRequest[] = [];
  readonly #reader: RequestReader;
  #refusal: Reading['refusal'] = null;

  constructor(limits: ReadLimits = ROOMY, sections = new FieldSections(), pieces = new ContentPieces()) {
    const current = (): ReadRequest => {
      const request = this.#requests.at(-1);
      if (request === undefined || request.isWhole) throw new Error('content or trailers of no request');
      if (this.#refusal !== null) throw new Error('an event behind the refusal');
      return request;
    };
    this.#reader = new RequestReader(
      {
        onHead: (method, { scheme, authority, path }, version, section) => {
          if (this.#requests.at(-1)?.isWhole === false) throw new Error('a head within a request');
          if (this.#refusal !== null) throw new Error('a head behind the refusal');
          const { host, fields, contentLength, persists, awaitsInvitation, upgrade } = section;
          this.#requests.push({
            method,
            scheme,
            authority,
            path,
            version,
            host,
            fields: [...fields],
            contentLength,
            persists,
            awaitsInvitation,
            upgrade:
              upgrade === null ? null : [upgrade.protocols, upgrade.connection, ...upgrade.http2Settings],
            content: '',
            trailers: null,
            isWhole: contentLength === 0,
          });
        },
        onContent: (bytes, start, end, last) => {
          const request = current();
          request.content += Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString(
            'latin1',
          );
          request.isWhole = last;
        },
        onTrailers: (fields) => {
          const request = current();
          if (fields.length === 0) throw new Error('an empty trailer section was told');
          request.trailers = [...fields];
          request.isWhole = true;
        },
        onReadFault: ({ status, why }) => {
          if (this.#refusal !== null) throw new Error('two refusals');
          this.#refusal = { status, why };
        },
      },
      limits,
      sections,
      pieces,
    );
  }

  read(bytes: Uint8Array): void {
    passing(bytes, (chunk) => this.#reader.read(chunk));
  }

  get isRefused(): boolean {
    return this.#refusal !== null;
  }

  get reading(): Reading {
    return {
      requests: this.#requests,
      refusal: this.#refusal,
      isWithinMessage: this.#reader.isWithinMessage,
    };
  }
}

/**
 * Reads pieces one after the other. Each is in memory of its own that is overwritten afterwards, like a
 * socket's buffer.
 */
export function readPieces(
  pieces: readonly string[],
  limits?: ReadLimits,
  sections?: FieldSections,
): Reading {
  const recorder = new Recorder(limits, sections);
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, 'latin1');
    recorder.read(bytes);
    bytes.fill(0xff);
  }
  return recorder.reading;
}

/** The offset of the first byte that breaks a rule, where the reader refuses; -1 if there is none. */
export function refusedAt(text: string, limits?: ReadLimits): number {
  const recorder = new Recorder(limits);
  for (let at = 0; at < text.length; at++) {
    recorder.read(Buffer.from(text[at] as string, 'latin1'));
    if (recorder.isRefused) return at;
  }
  return -1;
}

/** Splits the text at the given positions, in any order. */
export function cutAt(text: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map((cut) => cut % Math.max(text.length, 1)))].sort((a, b) => a - b);
  return [0, ...places]
    .map((from, index) => text.slice(from, places[index] ?? text.length))
    .filter((piece) => piece !== '');
}
