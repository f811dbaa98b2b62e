/** The options for an application's WebSockets: every limit, its default and the reason for it. */

import { nameOf } from '../exchange/values.ts';
import type { FieldsInit } from '../gateway.ts';
import { WebSocketError, WebSocketErrorCode } from './errors.ts';

export interface WebSocketOptions {
  /**
   * Subprotocols that the application supports, best first. The first one that the client offers is chosen.
   * Default none.
   */
  readonly protocols?: readonly string[];
  /**
   * Pages that may connect, by their origin (`https://example.org`). Browsers send cookies with a handshake
   * from any page and let that page use the socket (RFC 6455 section 10.2). So by default (`same`) only pages
   * of the requested host may connect. A client that sends no Origin is not a browser, and may connect.
   */
  readonly origins?: 'same' | 'any' | readonly string[];
  /** Most bytes of a message, inflated; a larger one closes with 1009. Default 1 MiB. */
  readonly maxMessageBytes?: number;
  /**
   * Most frames of a message, because a frame costs more than its bytes. More close with 1008. Default 4096.
   */
  readonly maxFragments?: number;
  /**
   * Bytes of messages that may wait for an application that does not read; beyond them the peer is held back.
   * Default 64 KiB.
   */
  readonly maxUnreadBytes?: number;
  /**
   * Bytes that `send` buffers for a peer that does not read, if the application does not wait; more is an
   * error. One message may be larger. Default 1 MiB.
   */
  readonly maxUnsentBytes?: number;
  /** permessage-deflate (RFC 7692), when the client offers it. Default false: it costs memory and time. */
  readonly compression?: boolean | CompressionOptions;
  /**
   * Silence after which the peer is sent a Ping; 0: never. Default 30 s, below the idle timeouts of common
   * proxies.
   */
  readonly pingIntervalMs?: number;
  /** A peer that does not respond to a Ping for this long is gone: 1006. Default 20 s. */
  readonly pongTimeoutMs?: number;
  /** How long to wait for the peer's half of the closing handshake; then the tunnel is reset. Default 5 s. */
  readonly closeTimeoutMs?: number;
  /** More fields for the accepting response. */
  readonly fields?: FieldsInit;
}

export interface CompressionOptions {
  /** Smaller messages are sent without compression. Default 1024 bytes. */
  readonly thresholdBytes?: number;
  /** zlib's level, 1 to 9. Default 6. */
  readonly level?: number;
  /**
   * Keep the dictionary from message to message: better for small messages, at about 300 KiB per socket.
   * Default false.
   */
  readonly contextTakeover?: boolean;
}

/** Validated, with every default filled in. */
export interface WebSocketSettings
  extends Required<Omit<WebSocketOptions, 'compression' | 'origins' | 'fields'>> {
  readonly compression: Required<CompressionOptions> | null;
  readonly origins: 'same' | 'any' | ReadonlySet<string>;
  readonly fields: FieldsInit | undefined;
}

const MAX_BYTES = 2 ** 31 - 1;
const MAX_TIMER_MS = 2 ** 31 - 1;
/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** @throws WebSocketError `SLUICE_WEBSOCKET_OPTION_INVALID` */
export function webSocketSettings(options: WebSocketOptions = {}): WebSocketSettings {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options);
  const { protocols = [], origins = 'same', compression = false, fields } = options;
  return {
    protocols: checkedProtocols(protocols),
    origins: origins === 'same' || origins === 'any' ? origins : checkedOrigins(origins),
    maxMessageBytes: number('maxMessageBytes', options.maxMessageBytes, 1_048_576, 1, MAX_BYTES),
    maxFragments: number('maxFragments', options.maxFragments, 4096, 1, MAX_BYTES),
    maxUnreadBytes: number('maxUnreadBytes', options.maxUnreadBytes, 65_536, 1, MAX_BYTES),
    maxUnsentBytes: number('maxUnsentBytes', options.maxUnsentBytes, 1_048_576, 1, MAX_BYTES),
    compression: compression === false ? null : compressionSettings(compression === true ? {} : compression),
    pingIntervalMs: number('pingIntervalMs', options.pingIntervalMs, 30_000, 0, MAX_TIMER_MS),
    pongTimeoutMs: number('pongTimeoutMs', options.pongTimeoutMs, 20_000, 1, MAX_TIMER_MS),
    closeTimeoutMs: number('closeTimeoutMs', options.closeTimeoutMs, 5_000, 1, MAX_TIMER_MS),
    fields,
  };
}

function compressionSettings(options: CompressionOptions): Required<CompressionOptions> {
  if (typeof options !== 'object' || options === null)
    throw invalid('compression', 'true, false or an object', options);
  const { contextTakeover = false } = options;
  if (typeof contextTakeover !== 'boolean')
    throw invalid('compression.contextTakeover', 'true or false', contextTakeover);
  return {
    thresholdBytes: number('compression.thresholdBytes', options.thresholdBytes, 1024, 0, MAX_BYTES),
    level: number('compression.level', options.level, 6, 1, 9),
    contextTakeover,
  };
}

function checkedProtocols(protocols: readonly string[]): readonly string[] {
  if (!Array.isArray(protocols)) throw invalid('protocols', 'a list of tokens', protocols);
  for (const protocol of protocols) {
    if (typeof protocol !== 'string' || !TOKEN.test(protocol))
      throw invalid('protocols', 'tokens (RFC 6455 section 1.9)', protocol);
  }
  return protocols;
}

function checkedOrigins(origins: readonly string[]): ReadonlySet<string> {
  if (!Array.isArray(origins)) throw invalid('origins', '"same", "any" or a list of origins', origins);
  return new Set(origins.map(checkedOrigin));
}

function checkedOrigin(origin: unknown): string {
  const url = typeof origin === 'string' && URL.canParse(origin) ? new URL(origin) : null;
  // A URL with a path or a trailing slash would never equal an Origin field.
  if (url === null || url.origin !== String(origin).toLowerCase()) {
    throw invalid('origins', 'origins such as "https://example.org"', origin);
  }
  return url.origin;
}

function number(
  name: string,
  value: number | undefined,
  byDefault: number,
  from: number,
  to: number,
): number {
  if (value === undefined) return byDefault;
  if (Number.isInteger(value) && value >= from && value <= to) return value;
  throw invalid(name, `a whole number from ${from} to ${to}`, value);
}

function invalid(name: string, expected: string, value: unknown): WebSocketError {
  return new WebSocketError(WebSocketErrorCode.OptionInvalid, `${name} to be ${expected}`, nameOf(value));
}
