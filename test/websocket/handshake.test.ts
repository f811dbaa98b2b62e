/** Handshakes and options that are refused. */
import test from 'ava';
import { acceptWith, type WebSocketOptions } from '../../workers/websocket/accept.ts';
import { webSocketSettings } from '../../workers/websocket/options.ts';
import { KEY } from './byte-streams.ts';
import { HandshakeExchange } from './memory-tunnel.ts';

type Fields = ConstructorParameters<typeof HandshakeExchange>[0];

for (const [what, fields, why] of [
  ['no version', { 'sec-websocket-version': null }, /Sec-WebSocket-Version 13, got none/],
  ['another version', { 'sec-websocket-version': '8' }, /Sec-WebSocket-Version 13, got 8/],
  ['two versions', { 'sec-websocket-version': ['13', '13'] }, /Sec-WebSocket-Version 13, got none, or more/],
  ['no key', { 'sec-websocket-key': null }, /one Sec-WebSocket-Key/],
  ['a key that is too short', { 'sec-websocket-key': 'c2hvcnQ=' }, /16 bytes in base64, got c2hvcnQ=/],
  ['a key with bits behind its 16 bytes', { 'sec-websocket-key': `${KEY.slice(0, 21)}R==` }, /16 bytes/],
  ['two keys', { 'sec-websocket-key': [KEY, KEY] }, /one Sec-WebSocket-Key/],
  ['a malformed subprotocol', { 'sec-websocket-protocol': 'a, b c' }, /a list of tokens/],
  ['the same subprotocol twice', { 'sec-websocket-protocol': 'a, a' }, /a list of tokens/],
  ['malformed extensions', { 'sec-websocket-extensions': 'a; ; b' }, /a list of extensions/],
] as const satisfies readonly (readonly [string, Fields, RegExp])[]) {
  test(`RFC 6455 section 4.2.1: a handshake with ${what} is refused with 400`, (t) => {
    const exchange = new HandshakeExchange(fields);
    t.is(acceptWith(exchange.exchange, {}, exchange.timers), null);
    t.is(exchange.answer?.status, 400);
    t.regex(exchange.answer?.body ?? '', why);
    t.is(exchange.answer?.fields.has('sec-websocket-version'), what.includes('version'));
  });
}

test('an ordinary request is refused with 400', (t) => {
  const exchange = new HandshakeExchange({}, { protocol: '' });
  t.is(acceptWith(exchange.exchange, {}, exchange.timers), null);
  t.is(exchange.answer?.status, 400);
});

test('lists may span several lines', (t) => {
  const exchange = new HandshakeExchange({
    'sec-websocket-protocol': ['a', 'b, c'],
    'sec-websocket-extensions': ['x-unknown', 'permessage-deflate; client_max_window_bits'],
  });
  const options = { protocols: ['c'], compression: true };
  const socket = acceptWith(exchange.exchange, options, exchange.timers);
  t.is(socket?.protocol, 'c');
  t.is(exchange.answer?.fields.get('sec-websocket-protocol'), 'c');
  t.is(
    exchange.answer?.fields.get('sec-websocket-extensions'),
    'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  );
});

test('empty members of lists are ignored (RFC 9110 section 5.6.1.2)', (t) => {
  const exchange = new HandshakeExchange({
    'sec-websocket-protocol': [',', ' ,a,, b\t,', ''],
    'sec-websocket-extensions': ['', ',permessage-deflate; client_max_window_bits ,,', ', x-unknown'],
  });
  const socket = acceptWith(exchange.exchange, { protocols: ['b'], compression: true }, exchange.timers);
  t.is(socket?.protocol, 'b');
  t.regex(exchange.answer?.fields.get('sec-websocket-extensions') ?? '', /^permessage-deflate;/);
  const nothing = new HandshakeExchange({
    'sec-websocket-protocol': ',,',
    'sec-websocket-extensions': ' , ',
  });
  t.is(acceptWith(nothing.exchange, {}, nothing.timers)?.protocol, '');
});

test('a page from the same host and port may connect, also through a proxy that terminates TLS', (t) => {
  const status = (origin: string | readonly string[], options: WebSocketOptions = {}) => {
    const exchange = new HandshakeExchange({ origin });
    acceptWith(exchange.exchange, options, exchange.timers);
    return exchange.answer?.status;
  };
  t.is(status('http://example.org:8080'), 101);
  t.is(status('https://EXAMPLE.org:8080'), 101);
  t.is(status('http://example.org'), 403);
  t.is(status('http://sub.example.org:8080'), 403);
  t.is(status('null'), 403);
  t.is(status(['http://example.org:8080', 'http://example.org:8080']), 403);
  t.is(status('null', { origins: 'any' }), 101);
  t.is(status('https://a.example', { origins: ['https://a.example'] }), 101);
  t.is(status('http://a.example', { origins: ['https://a.example'] }), 403);
});

test('the options have their documented defaults', (t) => {
  t.deepEqual(webSocketSettings(), {
    protocols: [],
    origins: 'same',
    maxMessageBytes: 1_048_576,
    maxFragments: 4_096,
    maxUnreadBytes: 65_536,
    maxUnsentBytes: 1_048_576,
    compression: null,
    pingIntervalMs: 30_000,
    pongTimeoutMs: 20_000,
    closeTimeoutMs: 5_000,
    fields: undefined,
  });
  t.deepEqual(webSocketSettings({ compression: true }).compression, {
    thresholdBytes: 1_024,
    level: 6,
    contextTakeover: false,
  });
});

for (const [options, message] of [
  [{ maxMessageBytes: 0 }, /maxMessageBytes to be a whole number from 1 to 2147483647, got 0/],
  [{ maxFragments: 1.5 }, /maxFragments/],
  [{ maxUnreadBytes: -1 }, /maxUnreadBytes/],
  [{ maxUnsentBytes: 2 ** 31 }, /maxUnsentBytes/],
  [{ pingIntervalMs: -1 }, /pingIntervalMs to be a whole number from 0/],
  [{ pongTimeoutMs: 0 }, /pongTimeoutMs/],
  [{ closeTimeoutMs: Number.NaN }, /closeTimeoutMs/],
  [{ protocols: ['a b'] }, /protocols to be tokens .* got "a b"/],
  [{ origins: ['example.org'] }, /origins to be origins/],
  [{ origins: ['https://example.org/'] }, /origins to be origins/],
  [{ protocols: 'chat' as never }, /protocols to be a list of tokens, got "chat"/],
  [{ protocols: [5 as never] }, /protocols to be tokens/],
  [{ origins: 'https://a.example' as never }, /origins to be "same", "any" or a list/],
  [{ origins: [null as never] }, /origins to be origins/],
  [{ maxMessageBytes: '1mb' as never }, /maxMessageBytes to be a whole number .* got "1mb"/],
  [null as never, /options to be an object, got null/],
  [{ compression: 'yes' as never }, /compression to be true, false or an object/],
  [{ compression: { contextTakeover: 1 as never } }, /compression.contextTakeover to be true or false/],
  [{ compression: { level: 10 } }, /compression.level/],
  [{ compression: { thresholdBytes: -1 } }, /compression.thresholdBytes/],
] as const satisfies readonly (readonly [WebSocketOptions, RegExp])[]) {
  test(`the options ${JSON.stringify(options)} are refused by name`, (t) => {
    t.throws(() => webSocketSettings(options), { code: 'SLUICE_WEBSOCKET_OPTION_INVALID', message });
  });
}
