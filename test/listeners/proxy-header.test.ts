/**
 * The header of the PROXY protocol: the vectors of its specification, whole and split, hostile and random
 * bytes.
 */
import test from 'ava';
import fc from 'fast-check';
import { type ProxyVersions, parseProxyHeader } from '../../runtime/listeners/proxy-header.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const maxBytes = 4_096;

function parse(bytes: Buffer | string, versions: ProxyVersions = 'any', most = maxBytes) {
  return parseProxyHeader(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, versions, most);
}

function binary(versionAndCommand: number, familyAndTransport: number, payload: Buffer): Buffer {
  const head = Buffer.from(`${SIGNATURE}00000000`, 'hex');
  head[12] = versionAndCommand;
  head[13] = familyAndTransport;
  head.writeUInt16BE(payload.length, 14);
  return Buffer.concat([head, payload]);
}

const inet = Buffer.from('c0a80001' + 'c0a8000b' + 'dc04' + '01bb', 'hex');
const inet6 = Buffer.from(
  '20010db8000000000000000000000001' + '20010db8000000000000000000000002' + 'dc04' + '01bb',
  'hex',
);
const rest = 'GET / HTTP/1.1\r\n';

test('a version 1 line names the client', (t) => {
  const header = 'PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n';
  t.deepEqual(parse(header + rest), {
    state: 'whole',
    length: header.length,
    source: { address: '192.168.0.1', port: 56_324, isUnix: false },
  });
  const longest = `PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`;
  t.like(parse(longest), { state: 'whole', source: { address: `${'ffff:'.repeat(7)}ffff`, port: 65_535 } });
});

test('UNKNOWN in version 1 leaves the connection its own address, whatever follows it', (t) => {
  for (const header of [
    'PROXY UNKNOWN\r\n',
    `PROXY UNKNOWN ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`,
  ]) {
    t.deepEqual(parse(header + rest), { state: 'whole', length: header.length, source: null });
  }
});

for (const [what, line] of [
  ['a word in lower case', 'proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n'],
  ['another family', 'PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n'],
  ['an IPv6 address as TCP4', 'PROXY TCP4 ::1 ::1 1 1\r\n'],
  ['an IPv4 address as TCP6', 'PROXY TCP6 1.2.3.4 1.2.3.4 1 1\r\n'],
  ['an IPv6 address with a zone', 'PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n'],
  ['an address with leading zeros', 'PROXY TCP4 01.2.3.4 1.2.3.4 1 1\r\n'],
  ['a host name', 'PROXY TCP4 localhost 1.2.3.4 1 1\r\n'],
  ['two spaces', 'PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n'],
  ['a port over 65535', 'PROXY TCP4 1.2.3.4 1.2.3.4 65536 1\r\n'],
  ['a port with a leading zero', 'PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n'],
  ['a negative port', 'PROXY TCP4 1.2.3.4 1.2.3.4 -1 1\r\n'],
  ['a missing port', 'PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n'],
  ['a line feed alone', 'PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n'],
  ['no line end within 107 bytes', `PROXY UNKNOWN ${'x'.repeat(93)}`],
  ['a request', rest],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc'],
] as const) {
  test(`${what} instead of a version 1 header is an error`, (t) => {
    t.is(parse(line).state, 'wrong');
  });
}

test('a version 2 header names the client over IPv4 and IPv6', (t) => {
  const over4 = binary(0x21, 0x11, inet);
  t.deepEqual(parse(Buffer.concat([over4, Buffer.from(rest)])), {
    state: 'whole',
    length: 28,
    source: { address: '192.168.0.1', port: 56_324, isUnix: false },
  });
  t.like(parse(binary(0x21, 0x21, inet6)), {
    state: 'whole',
    length: 52,
    source: { address: '2001:db8::1', port: 56_324 },
  });
});

test('IPv6 addresses are written as in RFC 5952', (t) => {
  for (const [hex, text] of [
    ['00000000000000000000000000000000', '::'],
    ['00000000000000000000000000000001', '::1'],
    ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
    ['20010000000000010000000000000001', '2001:0:0:1::1'],
    ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
    ['fe800000000000000000000000000000', 'fe80::'],
    ['00000000000000000000ffffc0a80001', '::ffff:192.168.0.1'],
    ['00000000000000000001ffffc0a80001', '::1:ffff:c0a8:1'],
  ]) {
    const payload = Buffer.concat([Buffer.from(hex, 'hex'), inet6.subarray(16)]);
    t.like(parse(binary(0x21, 0x21, payload)), { source: { address: text } });
  }
});

test('TLVs after the addresses are skipped', (t) => {
  const tlvs = Buffer.from('01000568322d3134' + '0200036162' + '63' + '20000501000000' + '00', 'hex');
  const header = binary(0x21, 0x11, Buffer.concat([inet, tlvs]));
  t.like(parse(header), { state: 'whole', length: header.length, source: { address: '192.168.0.1' } });
});

test('LOCAL, UNSPEC and datagrams leave the connection its own address', (t) => {
  for (const header of [
    binary(0x20, 0x00, Buffer.alloc(0)),
    binary(0x20, 0x11, inet),
    binary(0x20, 0xff, Buffer.alloc(3)),
    binary(0x21, 0x00, Buffer.alloc(7)),
    binary(0x21, 0x12, inet),
  ]) {
    t.deepEqual(parse(header), { state: 'whole', length: header.length, source: null });
  }
});

test('a client on a Unix domain socket of the proxy has no address, and does not count as being on one of ours', (t) => {
  const header = binary(0x21, 0x31, Buffer.alloc(216, '/run/app.sock\0'));
  t.deepEqual(parse(header), {
    state: 'whole',
    length: 232,
    source: { address: '', port: 0, isUnix: false },
  });
});

for (const [what, header] of [
  ['version 1 in binary', binary(0x11, 0x11, inet)],
  ['an unknown command', binary(0x22, 0x11, inet)],
  ['an unknown family', binary(0x21, 0x41, inet)],
  ['an unknown transport', binary(0x21, 0x13, inet)],
  ['IPv4 addresses that are cut short', binary(0x21, 0x11, inet.subarray(1))],
  ['IPv6 addresses that are cut short', binary(0x21, 0x21, inet)],
  ['a Unix address that is cut short', binary(0x21, 0x31, Buffer.alloc(215))],
] as const) {
  test(`${what} in a version 2 header is an error`, (t) => {
    t.is(parse(header).state, 'wrong');
  });
}

test('a version 2 header that announces too large a size is refused before its bytes arrive', (t) => {
  const announced = (bytes: number) => binary(0x21, 0x11, Buffer.alloc(bytes)).subarray(0, 16);
  t.is(parse(announced(maxBytes - 16)).state, 'more');
  t.deepEqual(parse(announced(maxBytes - 15)), {
    state: 'wrong',
    why: 'the header has 4097 bytes, at most 4096 are allowed',
  });
});

test('only the configured version is accepted', (t) => {
  const line = 'PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n';
  t.is(parse(line, 'v1').state, 'whole');
  t.is(parse(line, 'v2').state, 'wrong');
  t.is(parse(binary(0x21, 0x11, inet), 'v2').state, 'whole');
  t.is(parse(binary(0x21, 0x11, inet), 'v1').state, 'wrong');
});

const headers = [
  Buffer.from('PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n'),
  Buffer.from('PROXY UNKNOWN\r\n'),
  binary(0x21, 0x11, inet),
  binary(0x21, 0x21, inet6),
  binary(0x20, 0x00, Buffer.alloc(0)),
];

test('a header is complete at its last byte and not before, however it is split', (t) => {
  for (const header of headers) {
    for (let length = 0; length < header.length; length++) {
      t.is(parse(header.subarray(0, length)).state, 'more', `${length} of ${header.length} bytes`);
    }
    t.like(parse(header), { state: 'whole', length: header.length });
  }
});

test('random and damaged bytes get a verdict that further bytes do not change, and never throw', (t) => {
  const damaged = fc
    .tuple(fc.constantFrom(...headers), fc.nat(200), fc.uint8Array({ minLength: 1, maxLength: 8 }))
    .map(([header, at, bytes]) => {
      const copy = Buffer.from(header);
      copy.set(bytes.subarray(0, Math.max(0, copy.length - at)), Math.min(at, copy.length));
      return copy;
    });
  const any = fc.oneof(
    damaged,
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(any, fc.uint8Array({ maxLength: 64 }), (bytes, more) => {
      const verdict = parse(bytes);
      if (verdict.state !== 'more') t.deepEqual(parse(Buffer.concat([bytes, more])), verdict);
      for (let length = 0; length < bytes.length; length += 7) {
        const early = parse(bytes.subarray(0, length));
        if (early.state !== 'more') t.deepEqual(early, verdict);
      }
    }),
    { numRuns: 500 },
  );
});
