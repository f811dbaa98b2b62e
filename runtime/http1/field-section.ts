/**
 * The header fields of one request, judged: what they say of the message's length, of the connection and of the host, and what
 * is left of them for the application. Whatever is refused here ends the connection: behind a head that was not understood
 * nobody knows where the next one begins.
 */
import { FieldKind, type FieldName } from './field-names.ts';
import { isHost } from './host.ts';
import type { Refusal } from './refusal.ts';

export type Version = '1.1' | '1.0';

/** Content in chunks, whose length nobody has announced. */
export const CHUNKED = -1;

/** What a request says of another protocol (RFC 9110 section 7.8). */
export interface UpgradeOffer {
  /** Value of Upgrade. */
  readonly protocols: string;
  /** Value of Connection. */
  readonly connection: string;
  /** Values of HTTP2-Settings, one a line. */
  readonly http2Settings: readonly string[];
}

export interface FieldSection {
  /** Flat, names in lower case, without what belongs to the connection and without Host. */
  readonly fields: readonly string[];
  /** Null in HTTP/1.0 alone. */
  readonly host: string | null;
  /** -1: chunked. */
  readonly contentLength: number;
  /** Content-Length or Transfer-Encoding is there. */
  readonly announcesContent: boolean;
  /** The client waits for 100 (Continue), or for a while, before it sends its content. */
  readonly awaitsInvitation: boolean;
  /** The client does not end the connection behind this request (RFC 9112 section 9.3). */
  readonly persists: boolean;
  readonly upgrade: UpgradeOffer | null;
}

const NO_SETTINGS: readonly string[] = [];

/** More than 15 digits cannot be counted exactly, and are more than any limit. */
const MAX_LENGTH_DIGITS = 15;
const DIGITS = /^\d+$/;

/** Connection options that name no field, or one that is left out anyway. */
const PLAIN_OPTIONS = /^[\t ,]*(?:(?:close|keep-alive|upgrade|te|http2-settings)[\t ]*(?:,[\t ,]*|$))*$/i;
const TRAILERS = /(?:^|,)[\t ]*trailers[\t ]*(?:$|[,;])/i;

/**
 * Never a connection's own, whatever Connection says: the length of the content, and what proxies tell of their client, who
 * would hide behind a proxy that passes its Connection field on.
 */
const NOT_CONNECTION_FIELDS: readonly string[] = [
  'content-length',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
];

export class SectionBuilder {
  #fields: string[] = [];
  #host: string | null = null;
  #contentLength = -1;
  #codings: string | null = null;
  #connection = '';
  #upgrade: string | null = null;
  #http2Settings: string[] | null = null;
  #takesTrailers = false;
  #expectation: string | null = null;

  /**
   * A whole field line.
   * @param isPadded white space follows the value, which counts for nothing (RFC 9112 section 5)
   * @returns why the message is refused for it; null: it is not
   */
  add(name: FieldName, value: string, isPadded: boolean): Refusal | null {
    switch (name.kind) {
      case FieldKind.Other:
        break;
      case FieldKind.Host:
        // RFC 9112 section 3.2: one valid Host, and no second, whatever they say.
        if (this.#host !== null) return refuse(400, 'the Host field is repeated');
        if (!isHost(value)) return refuse(400, 'the Host field is malformed');
        this.#host = value;
        return null;
      case FieldKind.ContentLength:
        // RFC 9112 section 6.3: a second one, even if it is equal, is how two tiers come to see two messages.
        if (this.#contentLength !== -1) return refuse(400, 'the Content-Length field is repeated');
        if (!DIGITS.test(value)) return refuse(400, 'the Content-Length field is malformed');
        if (value.replace(/^0+/, '').length > MAX_LENGTH_DIGITS)
          return refuse(413, 'the content is too large');
        this.#contentLength = Number(value);
        break;
      case FieldKind.TransferEncoding:
        // Some tiers have taken `chunked` with a space behind it for another coding.
        if (isPadded) return refuse(400, 'white space follows the transfer coding');
        this.#codings = this.#codings === null ? value : `${this.#codings},${value}`;
        return null;
      case FieldKind.Connection:
        this.#connection = this.#connection === '' ? value : `${this.#connection},${value}`;
        return null;
      case FieldKind.Upgrade:
        this.#upgrade = this.#upgrade === null ? value : `${this.#upgrade},${value}`;
        return null;
      case FieldKind.Http2Settings:
        this.#http2Settings ??= [];
        this.#http2Settings.push(value);
        return null;
      case FieldKind.Te:
        this.#takesTrailers ||= TRAILERS.test(value);
        return null;
      case FieldKind.Expect:
        this.#expectation = this.#expectation === null ? value : `${this.#expectation},${value}`;
        break;
      case FieldKind.Hop:
        return null;
    }
    this.#fields.push(name.text, value);
    return null;
  }

  /** The section is whole. The builder begins anew. */
  finish(version: Version): FieldSection | Refusal {
    const fields = this.#fields;
    const host = this.#host;
    const codings = this.#codings;
    const connection = this.#connection;
    const upgrade = this.#upgrade;
    const http2Settings = this.#http2Settings;
    const takesTrailers = this.#takesTrailers;
    const announced = this.#contentLength;
    const expectation = this.#expectation;
    this.reset();
    if (host === null && version === '1.1') return refuse(400, 'the Host field is missing');
    if (codings !== null) {
      const refusal = judgeCodings(codings, version, announced !== -1);
      if (refusal !== null) return refusal;
    }
    // RFC 9110 section 10.1.1: there is one expectation, and none in HTTP/1.0.
    const expects = expectation !== null && version === '1.1';
    if (expects && expectation.toLowerCase() !== '100-continue')
      return refuse(417, 'the only expectation is 100-continue');
    const isPlain = connection === '' || connection === 'keep-alive' || PLAIN_OPTIONS.test(connection);
    const kept = isPlain ? fields : withoutNamed(fields, connection);
    // As over HTTP/2 (RFC 9113 section 8.2.2), where it tells a gRPC server that its client takes trailers.
    if (takesTrailers) kept.push('te', 'trailers');
    return {
      fields: kept,
      host,
      contentLength: codings !== null ? CHUNKED : Math.max(announced, 0),
      announcesContent: codings !== null || announced !== -1,
      awaitsInvitation: expects,
      persists: persists(version, connection),
      upgrade:
        upgrade === null
          ? null
          : { protocols: upgrade, connection, http2Settings: http2Settings ?? NO_SETTINGS },
    };
  }

  /** Forgets a section that has begun. */
  reset(): void {
    this.#fields = [];
    this.#host = null;
    this.#contentLength = -1;
    this.#codings = null;
    this.#connection = '';
    this.#upgrade = null;
    this.#http2Settings = null;
    this.#takesTrailers = false;
    this.#expectation = null;
  }
}

export function isRefused(verdict: FieldSection | Refusal): verdict is Refusal {
  return 'status' in verdict;
}

/** Whether a comma-separated list has a member, in any case. */
export function lists(value: string, token: string): boolean {
  if (value.length === token.length) return value.toLowerCase() === token;
  return value.split(',').some((each) => trimmed(each).toLowerCase() === token);
}

function refuse(status: number, why: string): Refusal {
  return { status, why };
}

function persists(version: Version, connection: string): boolean {
  if (connection === '') return version === '1.1';
  if (connection === 'keep-alive' || connection === 'Keep-Alive') return true;
  if (lists(connection, 'close')) return false;
  return version === '1.1' || lists(connection, 'keep-alive');
}

/** RFC 9112 sections 6.1 and 6.3: chunked comes last or nobody knows the end; before it stands nothing that we decode. */
function judgeCodings(codings: string, version: Version, hasLength: boolean): Refusal | null {
  if (hasLength) return refuse(400, 'Content-Length does not go with Transfer-Encoding');
  if (version === '1.0') return refuse(400, 'Transfer-Encoding does not go with HTTP/1.0');
  if (codings.toLowerCase() === 'chunked') return null;
  const names = codings.split(',').map((name) => trimmed(name).toLowerCase());
  const isLast = names.indexOf('chunked') === names.length - 1;
  // An empty member is none, and other tiers have read it as one.
  return isLast && !names.includes('')
    ? refuse(501, 'the transfer coding is not known')
    : refuse(400, 'the last transfer coding is not chunked, or it is repeated, or one has no name');
}

/** Without the white space of RFC 9110 section 5.6.3; `trim` takes more than that. */
function trimmed(value: string): string {
  return value.replace(/^[\t ]+|[\t ]+$/g, '');
}

/** What a Connection field names is this connection's own (RFC 9110 section 7.6.1). */
function withoutNamed(fields: readonly string[], connection: string): string[] {
  const named = new Set(connection.split(',').map((option) => trimmed(option).toLowerCase()));
  for (const name of NOT_CONNECTION_FIELDS) named.delete(name);
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (!named.has(fields[i] as string)) kept.push(fields[i] as string, fields[i + 1] as string);
  }
  return kept;
}
