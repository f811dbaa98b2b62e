/**
 * A request head as Node's parser hands it over, judged by what the parser lets through and the RFCs do not, or that two
 * tiers could read in two ways. Whatever is refused here ends the connection: behind a head that was not understood
 * nobody knows where the next one begins.
 */
import type { IncomingMessage } from 'node:http';
import { trailersOf } from '../connections/trailer-fields.ts';
import { isHost } from './host.ts';
import type { Http1Options } from './options.ts';
import type { Refusal } from './refusal.ts';
import { parseTarget } from './target.ts';

export interface RequestHead {
  readonly method: string;
  /** What an absolute-form target says; null otherwise. */
  readonly scheme: 'http' | 'https' | null;
  readonly authority: string;
  readonly path: string;
  readonly version: '1.1' | '1.0';
  /** Flat, names in lower case, without what belongs to the connection and without Host. */
  readonly fields: readonly string[];
  /** -1: chunked. */
  readonly contentLength: number;
  /** The client waits for 100 (Continue), or for a while, before it sends its content. */
  readonly awaitsInvitation: boolean;
  /** There is an Upgrade field. */
  readonly offersUpgrade: boolean;
}

export type HeadLimits = Pick<Http1Options, 'maxTargetBytes' | 'maxHeaderBytes' | 'maxFieldLines'>;

/** The colon, the space and the line end of a field line. */
const LINE_OVERHEAD_BYTES = 4;
const CHUNKED = -1;

/** Fields that say something about this connection and nothing about the request (RFC 9110 section 7.6.1). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Connection options that name no field, or one of the above. */
const PLAIN_OPTIONS = /^[\t ,]*(?:(?:close|keep-alive|upgrade|te|http2-settings)[\t ,]*)*$/i;

export function isRefused(verdict: RequestHead | Refusal): verdict is Refusal {
  return 'status' in verdict;
}

export function readHead(request: IncomingMessage, limits: HeadLimits): RequestHead | Refusal {
  const { method = '', url = '', rawHeaders: raw } = request;
  if (request.httpVersionMajor !== 1) return refuse(505, 'the version is neither 1.0 nor 1.1');
  const version = request.httpVersionMinor === 0 ? '1.0' : '1.1';
  if (url.length > limits.maxTargetBytes) return refuse(414, 'the request target is too long');
  if (raw.length >> 1 > limits.maxFieldLines) return refuse(431, 'there are too many header fields');
  if (url.length + bytesOf(raw) > limits.maxHeaderBytes)
    return refuse(431, 'the header section is too large');
  // The parser takes RTSP for HTTP/1.0 and knows its methods.
  if (!isHttpMethod(method)) return refuse(501, 'the method is not known');
  const target = parseTarget(method, url);
  if (target === null) return refuse(400, 'the request target is malformed');

  let host: string | null = null;
  let contentLength = 0;
  let codings: string | null = null;
  let connection = '';
  let takesTrailers = false;
  let awaitsInvitation = false;
  let offersUpgrade = false;
  const fields: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const value = raw[i + 1] as string;
    switch (name) {
      case 'host':
        // RFC 9112 section 3.2: one valid Host, and no second, whatever they say.
        if (host !== null) return refuse(400, 'the Host field is repeated');
        if (!isHost(value)) return refuse(400, 'the Host field is malformed');
        host = value;
        continue;
      case 'transfer-encoding':
        // The parser has seen to it that no Content-Length is there.
        if (version === '1.0') return refuse(400, 'Transfer-Encoding does not go with HTTP/1.0');
        codings = codings === null ? value : `${codings},${value}`;
        continue;
      case 'connection':
        connection = connection === '' ? value : `${connection},${value}`;
        continue;
      case 'upgrade':
        offersUpgrade = true;
        continue;
      case 'te':
        takesTrailers ||= /(?:^|[\t ,])trailers(?:$|[\t ,;])/i.test(value);
        continue;
      case 'content-length':
        // More than can be counted exactly is more than any limit.
        if (value.length > 15) return refuse(413, 'the content is too large');
        contentLength = Number(value);
        break;
      case 'expect':
        // RFC 9110 section 10.1.1: there is one expectation, and none in HTTP/1.0.
        if (version === '1.0') break;
        if (value.toLowerCase() !== '100-continue')
          return refuse(417, 'the only expectation is 100-continue');
        awaitsInvitation = true;
        break;
      default:
        if (CONNECTION_FIELDS.has(name)) continue;
    }
    fields.push(name, value);
  }
  if (host === null && version === '1.1') return refuse(400, 'the Host field is missing');
  if (codings !== null) {
    const refusal = judgeCodings(codings);
    if (refusal !== null) return refusal;
    contentLength = CHUNKED;
  }
  // As over HTTP/2 (RFC 9113 section 8.2.2), where it tells a gRPC server that its client takes trailers.
  if (takesTrailers) fields.push('te', 'trailers');
  return {
    method,
    scheme: target.scheme,
    // RFC 9112 section 3.2.2: an absolute target's authority counts, and the Host field does not.
    authority: target.authority ?? host ?? '',
    path: target.path,
    version,
    fields: PLAIN_OPTIONS.test(connection) ? fields : withoutNamed(fields, connection),
    contentLength,
    awaitsInvitation,
    offersUpgrade,
  };
}

function refuse(status: number, why: string): Refusal {
  return { status, why };
}

/** RFC 9112 sections 6.1 and 6.3: chunked comes last or nobody knows the end; before it stands nothing that we decode. */
function judgeCodings(codings: string): Refusal | null {
  if (codings.toLowerCase() === 'chunked') return null;
  const names = codings.split(',').map((name) => name.trim().toLowerCase());
  return names.at(-1) === 'chunked' && names.indexOf('chunked') === names.length - 1
    ? refuse(501, 'the transfer coding is not known')
    : refuse(400, 'the last transfer coding is not chunked, or it is repeated');
}

function bytesOf(raw: readonly string[]): number {
  let bytes = (raw.length >> 1) * LINE_OVERHEAD_BYTES;
  for (let i = 0; i < raw.length; i++) bytes += (raw[i] as string).length;
  return bytes;
}

let methods: ReadonlySet<string> | null = null;

function isHttpMethod(method: string): boolean {
  if (method === 'GET' || method === 'POST') return true;
  // Not imported, for the reason that the front gives.
  methods ??= new Set(process.getBuiltinModule('node:http').METHODS);
  return methods.has(method);
}

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

/** What a Connection field names is this connection's own (RFC 9110 section 7.6.1). */
function withoutNamed(fields: readonly string[], connection: string): string[] {
  const named = new Set(connection.split(',').map((option) => option.trim().toLowerCase()));
  for (const name of NOT_CONNECTION_FIELDS) named.delete(name);
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (!named.has(fields[i] as string)) kept.push(fields[i] as string, fields[i + 1] as string);
  }
  return kept;
}

/** @returns null when there are too many. */
export function readTrailers(raw: readonly string[], limits: HeadLimits): string[] | null {
  if (raw.length >> 1 > limits.maxFieldLines || bytesOf(raw) > limits.maxHeaderBytes) return null;
  const fields: string[] = [];
  for (let i = 0; i < raw.length; i += 2) fields.push((raw[i] as string).toLowerCase(), raw[i + 1] as string);
  return trailersOf(fields);
}
