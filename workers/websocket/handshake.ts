/**
 * The opening handshake (RFC 6455 section 4.2, RFC 8441 section 5): what a request must contain, and what the
 * accepting response contains. It only decides; its caller sends the response.
 */
import { createHash } from 'node:crypto';
import { extension, PerMessageDeflate, subprotocol } from 'ws';
import { linesOf } from '../fields/lines.ts';
import type { ExchangeRequest, Fields } from '../gateway.ts';
import type { WebSocketSettings } from './options.ts';

export type Handshake =
  | {
      readonly status: 'accepted';
      readonly fields: [name: string, value: string][];
      /** The subprotocol; empty for none. */
      readonly protocol: string;
      readonly deflate: PerMessageDeflate | null;
    }
  | {
      readonly status: 400 | 403;
      readonly fields: [name: string, value: string][];
      readonly why: string;
    };

/** RFC 6455 section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** 16 bytes in base64 (RFC 6455 section 4.1). */
const KEY = /^[+/0-9A-Za-z]{21}[AQgw]==$/;

export function judgeHandshake(request: ExchangeRequest, settings: WebSocketSettings): Handshake {
  const { fields } = request;
  if (request.protocol !== 'websocket') return refused('a WebSocket handshake', 'an ordinary request');
  const version = only(fields, 'sec-websocket-version');
  if (version !== '13') {
    // Section 4.4: the response lists the supported versions.
    const refusal = refused('Sec-WebSocket-Version 13', version);
    return { ...refusal, fields: [['sec-websocket-version', '13']] };
  }
  const answer: [name: string, value: string][] = [];
  // RFC 8441 section 5.1: over HTTP/2 there is no key, because nothing in between could mistake one message
  // for another.
  if (request.version !== '2') {
    const key = only(fields, 'sec-websocket-key');
    if (key === null || !KEY.test(key)) return refused('one Sec-WebSocket-Key of 16 bytes in base64', key);
    answer.push([
      'sec-websocket-accept',
      createHash('sha1')
        .update(key + GUID)
        .digest('base64'),
    ]);
  }
  const origin = fields.has('origin') ? only(fields, 'origin') : '';
  if (origin !== '' && !mayConnect(origin, request, settings)) {
    return { status: 403, fields: [], why: 'expected a page of an origin that may connect' };
  }
  const offered = readProtocols(fields);
  if (offered === null) return refused('Sec-WebSocket-Protocol to be a list of tokens', 'another');
  const protocol = settings.protocols.find((known) => offered.has(known)) ?? '';
  if (protocol !== '') answer.push(['sec-websocket-protocol', protocol]);
  const offers = readExtensions(fields);
  if (offers === null) return refused('Sec-WebSocket-Extensions to be a list of extensions', 'another');
  const deflate = agreeOnDeflate(offers, settings);
  if (deflate !== null) {
    const params = { [PerMessageDeflate.extensionName]: [deflate.params ?? {}] };
    answer.push(['sec-websocket-extensions', extension.format(params)]);
  }
  return { status: 'accepted', fields: answer, protocol, deflate };
}

function refused(expected: string, received: string | null) {
  const why = `expected ${expected}, got ${received ?? 'none, or more than one'}`;
  return { status: 400 as const, fields: [] as [string, string][], why };
}

/** The value of a field that appears exactly once; null otherwise. */
function only(fields: Fields, name: string): string | null {
  const values = linesOf(fields, name);
  return values.length === 1 ? values[0] : null;
}

function mayConnect(
  origin: string | null,
  request: ExchangeRequest,
  { origins }: WebSocketSettings,
): boolean {
  if (origins === 'any') return true;
  // A sandboxed page sends "null", which identifies no page.
  if (origin === null || !URL.canParse(origin)) return false;
  const from = new URL(origin);
  if (origins !== 'same') return origins.has(from.origin);
  // Compares only host and port: a proxy that ends TLS before this server has changed the scheme to http.
  const asked = `${from.protocol}//${request.authority}`;
  return URL.canParse(asked) && new URL(asked).host === from.host;
}

/**
 * A list may be split over several lines (RFC 9110 section 5.3), and its empty members are ignored (section
 * 5.6.1.2). Splitting at a comma within quotes loses nothing valid, because a quoted value must be a
 * token (RFC 6455 section 9.1), and a token has no comma.
 */
function listOf(fields: Fields, name: string): string {
  const members = fields.all(name).join(',').split(',');
  return members
    .map((member) => member.replace(/^[\t ]+|[\t ]+$/g, ''))
    .filter((member) => member !== '')
    .join(', ');
}

function readProtocols(fields: Fields): ReadonlySet<string> | null {
  const text = listOf(fields, 'sec-websocket-protocol');
  if (text === '') return new Set();
  try {
    return subprotocol.parse(text);
  } catch {
    return null;
  }
}

function readExtensions(fields: Fields): ReturnType<typeof extension.parse> | null {
  const text = listOf(fields, 'sec-websocket-extensions');
  if (text === '') return {};
  try {
    return extension.parse(text);
  } catch {
    return null;
  }
}

/**
 * RFC 7692 section 5: an offer that cannot be accepted is declined, and the WebSocket is opened without
 * compression.
 */
function agreeOnDeflate(
  offers: ReturnType<typeof extension.parse>,
  { compression, maxMessageBytes }: WebSocketSettings,
): PerMessageDeflate | null {
  const offer = offers[PerMessageDeflate.extensionName];
  if (compression === null || offer === undefined) return null;
  const deflate = new PerMessageDeflate({
    isServer: true,
    maxPayload: maxMessageBytes,
    serverNoContextTakeover: !compression.contextTakeover,
    clientNoContextTakeover: !compression.contextTakeover,
    threshold: compression.thresholdBytes,
    zlibDeflateOptions: { level: compression.level },
  });
  try {
    deflate.accept(offer);
    return deflate;
  } catch {
    return null;
  }
}
