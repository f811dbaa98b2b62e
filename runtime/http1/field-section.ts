/**
 * Checks the header fields of one request: what they say about the message's length, the connection and the
 * host, and which of them go to the application. Any refusal here ends the connection: after a head that was
 * not understood, the start of the next one is unknown.
 */
import { FieldKind, type FieldName } from './field-names.ts';
import { isHost } from './host.ts';
import type { Refusal } from './refusal.ts';

export type Version = '1.1' | '1.0';

/** Chunked content, whose length is not announced. */
export const CHUNKED = -1;

/** A request's offer to use another protocol (RFC 9110 section 7.8). */
export interface UpgradeOffer {
  /** The value of Upgrade. */
  readonly protocols: string;
  /** The value of Connection. */
  readonly connection: string;
  /** The values of HTTP2-Settings, one per line. */
  readonly http2Settings: readonly string[];
}

export interface FieldSection {
  /** A flat list with names in lower case, without Host and without the fields of the connection. */
  readonly fields: readonly string[];
  /** Null only in HTTP/1.0. */
  readonly host: string | null;
  /** -1: chunked. */
  readonly contentLength: number;
  /** Content-Length or Transfer-Encoding is present. */
  readonly announcesContent: boolean;
  /** The client waits for 100 (Continue), at least for a while, before it sends its content. */
  readonly awaitsInvitation: boolean;
  /** The client keeps the connection open after this request (RFC 9112 section 9.3). */
  readonly persists: boolean;
  readonly upgrade: UpgradeOffer | null;
}

const NO_SETTINGS: readonly string[] = [];

/** A number of more than 15 digits cannot be represented exactly, and exceeds any limit. */
const MAX_LENGTH_DIGITS = 15;
const DIGITS = /^\d+$/;

/** Connection options that name no field, or a field that is left out anyway. */
const PLAIN_OPTIONS = /^[\t ,]*(?:(?:close|keep-alive|upgrade|te|http2-settings)[\t ]*(?:,[\t ,]*|$))*$/i;
/** A list of nothing, and one of 100-continue, with any empty members (RFC 9110 section 5.6.1.2). */
const NOTHING = /^[\t ,]*$/;
const CONTINUES = /^[\t ,]*100-continue(?:[\t ]*,[\t ,]*)?$/i;
const TRAILERS = /(?:^|,)[\t ]*trailers[\t ]*(?:$|[,;])/i;

/**
 * Connection cannot remove these: the length of the content, and what proxies say about their client.
 * Otherwise a client could hide behind a proxy that passes its Connection field on.
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
   * Takes a whole field line.
   * @param isPadded white space follows the value; it is not part of it (RFC 9112 section 5)
   * @returns why the message is refused; null: it is not
   */
  add(name: FieldName, value: string, isPadded: boolean): Refusal | null {
    switch (name.kind) {
      case FieldKind.Other:
        break;
      case FieldKind.Host:
        // RFC 9112 section 3.2: exactly one valid Host, even if a second one has the same value.
        if (this.#host !== null) return refuse(400, 'the Host field is repeated');
        if (!isHost(value)) return refuse(400, 'the Host field is malformed');
        this.#host = value;
        return null;
      case FieldKind.ContentLength:
        // RFC 9112 section 6.3: a second field, even with an equal value, is how two tiers come to see two
        // different messages.
        if (this.#contentLength !== -1) return refuse(400, 'the Content-Length field is repeated');
        if (!DIGITS.test(value)) return refuse(400, 'the Content-Length field is malformed');
        if (value.replace(/^0+/, '').length > MAX_LENGTH_DIGITS)
          return refuse(413, 'the content is too large');
        this.#contentLength = Number(value);
        break;
      case FieldKind.TransferEncoding:
        // Some tiers have taken `chunked` followed by a space for another coding.
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

  /** The section is complete. The builder starts over. */
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
    // RFC 9110 section 10.1.1: there is one expectation, and HTTP/1.0 has none.
    const expects = expectation !== null && version === '1.1' && !NOTHING.test(expectation);
    if (expects && !CONTINUES.test(expectation)) return refuse(417, 'the only expectation is 100-continue');
    const isPlain = connection === '' || connection === 'keep-alive' || PLAIN_OPTIONS.test(connection);
    const kept = isPlain ? fields : withoutNamed(fields, connection);
    // Kept as in HTTP/2 (RFC 9113 section 8.2.2), where it tells a gRPC server that its client accepts
    // trailers.
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

  /** Discards a section that has begun. */
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

/** Whether a comma-separated list contains a member, in any case. */
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

/**
 * RFC 9112 sections 6.1 and 6.3: chunked must come last, or the end is unknown. Sluice decodes no coding that
 * could come before it.
 */
function judgeCodings(codings: string, version: Version, hasLength: boolean): Refusal | null {
  if (hasLength) return refuse(400, 'Content-Length cannot be combined with Transfer-Encoding');
  if (version === '1.0') return refuse(400, 'HTTP/1.0 has no Transfer-Encoding');
  if (codings.toLowerCase() === 'chunked') return null;
  const names = codings.split(',').map((name) => trimmed(name).toLowerCase());
  const isLast = names.indexOf('chunked') === names.length - 1;
  // An empty member counts as none here, but other tiers have read it as a coding.
  return isLast && !names.includes('')
    ? refuse(501, 'the transfer coding is unknown')
    : refuse(400, 'chunked is not the last transfer coding, or is repeated, or a coding has no name');
}

/** Removes the white space of RFC 9110 section 5.6.3; `trim` removes more than that. */
function trimmed(value: string): string {
  return value.replace(/^[\t ]+|[\t ]+$/g, '');
}

/** The fields that Connection names belong to this connection (RFC 9110 section 7.6.1). */
function withoutNamed(fields: readonly string[], connection: string): string[] {
  const named = new Set(connection.split(',').map((option) => trimmed(option).toLowerCase()));
  for (const name of NOT_CONNECTION_FIELDS) named.delete(name);
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (!named.has(fields[i] as string)) kept.push(fields[i] as string, fields[i + 1] as string);
  }
  return kept;
}
