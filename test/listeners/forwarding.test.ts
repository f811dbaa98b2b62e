/** How the client is determined behind proxies: `Forwarded` (RFC 7239) and `X-Forwarded-*`. */
import test from 'ava';
import fc from 'fast-check';
import { type AddressRange, parseAddressRange } from '../../runtime/config/address-range.ts';
import type { ListenerConfig } from '../../runtime/config/listeners.ts';
import type { Peer } from '../../runtime/connections/peer.ts';
import { parseForwarded, parseForwardedFor } from '../../runtime/listeners/forwarded-field.ts';
import { Forwarding } from '../../runtime/listeners/forwarding.ts';
import { TrustedProxies } from '../../runtime/listeners/trusted-proxies.ts';

function trusting(...ranges: string[]): TrustedProxies {
  return new TrustedProxies(ranges.map((text) => parseAddressRange(text, '$') as AddressRange));
}

const all: ListenerConfig['forwardedFields'] = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
];

/** Resolves a request through a proxy at 10.0.0.1 in cleartext; fields are given as `name: value`. */
function clientOf(lines: readonly string[], believed: ListenerConfig['forwardedFields'] = all) {
  const forwarding = new Forwarding(trusting('10.0.0.0/8', 'fd00::/8'), believed);
  const peer: Peer = {
    address: '10.0.0.1',
    port: 1234,
    scheme: 'http',
    tls: '',
    forwarding,
    allowsHttp2: true,
  };
  const fields = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  return forwarding.clientOf(peer, 'app.internal', fields);
}

function addressOf(...lines: string[]): string | null {
  return clientOf(lines)?.address ?? null;
}

test('addresses in the ranges are trusted, and IPv4 written as IPv6 counts as IPv4', (t) => {
  const trusted = trusting('10.0.0.0/8', '192.0.2.7', 'fd00::/8');
  const includes = (address: string, isUnix = false) => trusted.includes({ address, port: 1, isUnix });
  for (const address of ['10.255.0.1', '192.0.2.7', '::ffff:10.0.0.1', 'fd12::1'])
    t.true(includes(address), address);
  for (const address of ['11.0.0.1', '192.0.2.8', '::ffff:11.0.0.1', 'fe80::1', ''])
    t.false(includes(address), address);
  t.false(includes('', true));
  t.true(trusting('unix').includes({ address: '', port: 0, isUnix: true }));
  t.false(trusting('unix').includes({ address: '', port: 0, isUnix: false }), 'unknown is not local');
});

test('without any field the client is the peer', (t) => {
  t.deepEqual(clientOf(['accept: */*']), {
    address: '10.0.0.1',
    port: 1234,
    scheme: 'http',
    authority: 'app.internal',
  });
});

test('the client is the first address from the right that is not a trusted proxy', (t) => {
  t.is(addressOf('x-forwarded-for: 203.0.113.9'), '203.0.113.9');
  t.is(addressOf('x-forwarded-for: 1.1.1.1, 203.0.113.9'), '203.0.113.9', 'what stands before is made up');
  t.is(addressOf('x-forwarded-for: 203.0.113.9, 10.0.0.7, fd00::3'), '203.0.113.9');
  t.is(addressOf('forwarded: for=1.1.1.1, for=203.0.113.9;by=10.0.0.1, for=10.0.0.7'), '203.0.113.9');
  t.is(
    addressOf('x-forwarded-for: 1.1.1.1', 'x-forwarded-for: 203.0.113.9'),
    '203.0.113.9',
    'lines are one list',
  );
});

test('if all addresses are trusted proxies, the client is the first of them', (t) => {
  t.is(addressOf('x-forwarded-for: 10.0.0.9, 10.0.0.8'), '10.0.0.9');
});

test('scheme and host come from the proxy that reported the client', (t) => {
  t.deepEqual(
    clientOf([
      'forwarded: for=1.1.1.1;proto=http;host=evil.example, for="203.0.113.9:4711";proto=https;host="www.example.org:8443"',
    ]),
    { address: '203.0.113.9', port: 4711, scheme: 'https', authority: 'www.example.org:8443' },
  );
  t.like(
    clientOf([
      'x-forwarded-for: 1.1.1.1, 203.0.113.9, 10.0.0.7',
      'x-forwarded-proto: http, https, http',
      'x-forwarded-host: evil.example, www.example.org, inner',
    ]),
    { address: '203.0.113.9', scheme: 'https', authority: 'www.example.org' },
  );
  t.like(clientOf(['x-forwarded-for: 203.0.113.9, 10.0.0.7', 'x-forwarded-proto: https']), {
    scheme: 'https',
  });
  t.like(clientOf(['x-forwarded-proto: http, https']), { address: '10.0.0.1', scheme: 'https' });
  t.like(clientOf(['x-forwarded-proto: WSS']), { scheme: 'https' });
});

test('both kinds of fields may agree; if they contradict each other, the request is refused', (t) => {
  t.is(addressOf('forwarded: for=203.0.113.9', 'x-forwarded-for: 203.0.113.9'), '203.0.113.9');
  t.is(addressOf('forwarded: for=203.0.113.9', 'x-forwarded-for: 203.0.113.10'), null);
  t.is(clientOf(['forwarded: proto=https', 'x-forwarded-proto: http']), null);
  t.is(clientOf(['forwarded: host=a.example', 'x-forwarded-host: b.example']), null);
});

test('untrusted forwarded fields are ignored', (t) => {
  const lines = ['forwarded: for=1.1.1.1', 'x-forwarded-for: 203.0.113.9', 'x-forwarded-host: evil.example'];
  t.like(clientOf(lines, ['x-forwarded-for']), { address: '203.0.113.9', authority: 'app.internal' });
  t.like(clientOf(['forwarded: nonsense'], ['x-forwarded-for']), { address: '10.0.0.1' });
});

for (const line of [
  'x-forwarded-for: somebody',
  'x-forwarded-for: 1.2.3',
  'x-forwarded-for: 1.2.3.4:99999',
  'x-forwarded-for: <script>',
  'x-forwarded-proto: ftp',
  'x-forwarded-host: a b',
  'x-forwarded-host: user@example.org',
  'x-forwarded-host: example.org:65536',
  'x-forwarded-host: [:::::]',
  'x-forwarded-host: a%2',
  // Names that every JavaScript object has.
  'x-forwarded-proto: constructor',
  'x-forwarded-proto: __proto__',
  'forwarded: proto=toString',
  'forwarded: for',
  'forwarded: for=1.2.3.4 for=5.6.7.8',
  'forwarded: for=1.2.3.4;for=5.6.7.8',
  'forwarded: for=::1',
  'forwarded: for="[::1"',
  'forwarded: for="1.2.3.4',
  'forwarded: =1.2.3.4',
  'forwarded: for=1.2.3.4;proto=gopher',
]) {
  test(`a field that no proxy would write is refused: ${line}`, (t) => {
    t.is(clientOf([line]), null);
  });
}

test('an obfuscated or unknown node has no address and is never trusted', (t) => {
  for (const line of [
    'forwarded: for=unknown',
    'forwarded: for=_hidden',
    'forwarded: for="_SEVKISEK:_x1"',
    'x-forwarded-for: unknown',
  ]) {
    t.like(clientOf([line]), { address: '', port: 0 }, line);
  }
  t.is(addressOf('forwarded: for=1.1.1.1, for=_hidden'), '');
});

test('the examples of RFC 7239 are read as specified', (t) => {
  const nodes = (value: string) =>
    parseForwarded(value)?.map(({ node }) => node && [node.address, node.port]);
  t.deepEqual(nodes('for="_gazonk"'), [['', 0]]);
  t.deepEqual(nodes('For="[2001:db8:cafe::17]:4711"'), [['2001:db8:cafe::17', 4711]]);
  t.deepEqual(nodes('for=192.0.2.60;proto=http;by=203.0.113.43'), [['192.0.2.60', 0]]);
  t.deepEqual(nodes('for=192.0.2.43, for=198.51.100.17'), [
    ['192.0.2.43', 0],
    ['198.51.100.17', 0],
  ]);
  t.deepEqual(nodes('for=192.0.2.43,for="[2001:db8:cafe::17]",for=unknown'), [
    ['192.0.2.43', 0],
    ['2001:db8:cafe::17', 0],
    ['', 0],
  ]);
});

test('empty members, empty parameters and quoted strings are read according to the grammar', (t) => {
  t.deepEqual(parseForwarded(', ,for=1.2.3.4; ,')?.length, 1);
  t.deepEqual(parseForwarded(''), []);
  t.is(parseForwarded('host="a\\.example";x="a,b;c=\\"d\\""')?.[0].host, 'a.example');
  t.deepEqual(
    parseForwardedFor(' 1.2.3.4 ,, [::1]:80 , ::2, 1.2.3.4:5')?.map(
      ({ address, port }) => `${address} ${port}`,
    ),
    ['1.2.3.4 0', '::1 80', '::2 0', '1.2.3.4 5'],
  );
});

test('an address with its zone has at most 64 characters', (t) => {
  const zone = (length: number) => `fe80::1%${'a'.repeat(length - 'fe80::1%'.length)}`;
  t.is(parseForwardedFor(zone(64))?.[0].address, zone(64));
  t.is(parseForwardedFor(zone(65)), null);
});

test('no value makes the parsers throw or take long, and members that a client prepends change nothing', (t) => {
  const text = fc.string({ unit: fc.constantFrom(...'for=;,"\\ 1.:[]_hostprx'), maxLength: 200 });
  fc.assert(
    fc.property(text, (made) => {
      t.notThrows(() => clientOf([`forwarded: ${made}`, `x-forwarded-for: ${made}`]));
      const nodes = parseForwardedFor(made);
      if (nodes !== null) t.is(addressOf(`x-forwarded-for: ${made}, 203.0.113.9`), '203.0.113.9');
    }),
    { numRuns: 500 },
  );
});
