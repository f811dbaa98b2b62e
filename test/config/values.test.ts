import test from 'ava';
import fc from 'fast-check';
import { parseAddress } from '../../runtime/config/address.ts';
import { parseAddressRange } from '../../runtime/config/address-range.ts';
import { closest } from '../../runtime/config/closest.ts';
import { formatDuration, maxTimerMs, parseDuration } from '../../runtime/config/duration.ts';
import { ConfigErrorCode, type ConfigProblem, describeValue } from '../../runtime/config/errors.ts';
import { parseThreadRange } from '../../runtime/config/thread-range.ts';

function problem(result: unknown): ConfigProblem {
  if (typeof result === 'object' && result !== null && 'code' in result) return result as ConfigProblem;
  throw new Error(`no problem: ${JSON.stringify(result)}`);
}

test('addresses are a host or a bracketed IPv6 address, and a port', (t) => {
  const parsed = (text: string) => {
    const { host, port } = parseAddress(text, '$', '/srv') as { host: string; port: number };
    return [host, port];
  };
  t.deepEqual(parsed('127.0.0.1:8080'), ['127.0.0.1', 8080]);
  t.deepEqual(parsed('0.0.0.0:0'), ['0.0.0.0', 0]);
  t.deepEqual(parsed('[::1]:65535'), ['::1', 65535]);
  t.deepEqual(parsed('LocalHost:80'), ['localhost', 80]);
  t.deepEqual(parsed('app-1.example.org:80'), ['app-1.example.org', 80]);
});

const wrongAddresses: readonly [text: string, hint: RegExp][] = [
  ['', /port is missing/],
  ['localhost', /port is missing/],
  ['::1', /in brackets before its port: "\[::1\]:8080"/],
  ['fe80::1:2:3:4:5:6:8080', /in brackets/],
  [':8080', /"0\.0\.0\.0:8080" listens on every IPv4 address/],
  ['*:8080', /"\[::\]:8080" on every IPv6 address/],
  ['localhost:', /the port is a number from 0 to 65535/],
  ['localhost:65536', /the port is a number from 0 to 65535/],
  ['localhost:-1', /the port is a number/],
  ['localhost:0x50', /the port is a number/],
  ['1.2.3:80', /no host name and no IP address/],
  ['1.2.3.400:80', /no host name and no IP address/],
  ['[localhost]:80', /no host name/],
  ['-a:80', /no host name/],
  ['http://localhost:80', /without a scheme/],
  ['https://localhost:443', /TLS is switched on by "tls" beside the address/],
  ['tls:1.2.3.4:5', /TLS is switched on by "tls"/],
  ['/run/app.sock', /"unix:" and its path/],
  ['./app.sock', /"unix:" and its path/],
  ['unix:', /a path follows "unix:"/],
  [`unix:/${'x'.repeat(120)}`, /the absolute path has at most 10[37] bytes/],
  ['fd:2', /a descriptor from 3 on/],
  ['fd:x', /a descriptor from 3 on/],
  ['systemd:', /FileDescriptorName of a socket unit/],
  ['systemd:a:b', /FileDescriptorName/],
];
for (const [text, hint] of wrongAddresses) {
  test(`the address ${JSON.stringify(text)} is refused with a hint`, (t) => {
    const { code, where, received, hint: given } = problem(parseAddress(text, '--address', '/srv'));
    t.is(code, ConfigErrorCode.WrongValue);
    t.is(where, '--address');
    t.is(received, describeValue(text));
    t.regex(given ?? '', hint);
  });
}

test('addresses of the machine itself are a path, a descriptor or a name', (t) => {
  const parsed = (text: string) => parseAddress(text, '$', '/srv');
  t.like(parsed('unix:/run/app.sock'), { kind: 'unix', path: '/run/app.sock' });
  t.like(parsed('unix:app.sock'), { kind: 'unix', path: '/srv/app.sock' });
  t.like(parsed('fd:3'), { kind: 'fd', fd: 3 });
  t.like(parsed('systemd:web.socket'), { kind: 'systemd', name: 'web.socket' });
  t.like(parsed('systemd:*'), { kind: 'systemd', name: '*' });
});

test('ranges of addresses have a prefix that fits their family', (t) => {
  const parsed = (text: string) => parseAddressRange(text, '$');
  t.deepEqual(parsed('10.0.0.0/8'), { family: 'ipv4', address: '10.0.0.0', prefixBits: 8 });
  t.deepEqual(parsed('127.0.0.1'), { family: 'ipv4', address: '127.0.0.1', prefixBits: 32 });
  t.deepEqual(parsed('fd00::/8'), { family: 'ipv6', address: 'fd00::', prefixBits: 8 });
  t.deepEqual(parsed('::1'), { family: 'ipv6', address: '::1', prefixBits: 128 });
  t.deepEqual(parsed('0.0.0.0/0'), { family: 'ipv4', address: '0.0.0.0', prefixBits: 0 });
  t.deepEqual(parsed('unix'), { family: 'unix', address: '', prefixBits: 0 });
  for (const text of [
    '',
    'localhost',
    '10.0.0.0/',
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    'fe80::1%eth0',
    '10.0.0.0/8/8',
  ]) {
    t.is(problem(parsed(text)).code, ConfigErrorCode.WrongValue, text);
  }
});

test('durations have a unit', (t) => {
  t.is(parseDuration('500ms', '$'), 500);
  t.is(parseDuration('30s', '$'), 30_000);
  t.is(parseDuration('2m', '$'), 120_000);
  t.is(parseDuration('1h', '$'), 3_600_000);
  t.is(parseDuration('0s', '$'), 0);
  t.regex(problem(parseDuration('30', '$')).hint ?? '', /unit is missing: 30s\?/);
  for (const text of ['', 's', '1.5s', '-1s', '1 s', '1d', '1S', '99999999999s']) {
    t.is(problem(parseDuration(text, '$')).code, ConfigErrorCode.WrongValue, text);
  }
});

test('the longest duration is what a timer of Node can wait', (t) => {
  t.is(parseDuration(`${maxTimerMs}ms`, '$'), maxTimerMs);
  t.regex(problem(parseDuration(`${maxTimerMs + 1}ms`, '$')).hint ?? '', /longest/);
  t.is(parseDuration('596h', '$'), 596 * 3_600_000);
  t.is(problem(parseDuration('597h', '$')).code, ConfigErrorCode.WrongValue);
});

test('a duration is formatted exactly, so that it reads back', (t) => {
  t.is(formatDuration(30_000), '30s');
  t.is(formatDuration(1_500), '1500ms');
  t.is(formatDuration(0), '0ms');
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: maxTimerMs }),
      (ms) => parseDuration(formatDuration(ms), '$') === ms,
    ),
  );
});

test('threads are a number or a range', (t) => {
  t.deepEqual(parseThreadRange('4', '$'), { min: 4, max: 4 });
  t.deepEqual(parseThreadRange('1-4', '$'), { min: 1, max: 4 });
  t.deepEqual(parseThreadRange('1024', '$'), { min: 1024, max: 1024 });
  for (const text of ['0', '1025', '4-1', '0-4', '1-', '-4', 'auto', '1.5', '1-2000', '']) {
    t.is(problem(parseThreadRange(text, '$')).code, ConfigErrorCode.WrongValue, text);
  }
});

test('the nearest word is found over a swap, a missing, a wrong or a doubled letter', (t) => {
  const known = ['threads', 'queue', 'restart', 'min', 'max'];
  t.is(closest('thread', known), 'threads');
  t.is(closest('therads', known), 'threads');
  t.is(closest('THREADS', known), 'threads');
  t.is(closest('quue', known), 'queue');
  t.is(closest('mn', known), 'min');
  t.is(closest('workers', known), undefined);
  t.is(closest('x'.repeat(100_000), known), undefined);
});

test('a shown value is one line and bounded, whatever came', (t) => {
  t.is(describeValue('a\nb'), '"a\\nb"');
  t.is(describeValue(undefined), 'nothing');
  t.is(describeValue(null), 'null');
  t.is(describeValue({ secret: 1 }), 'an object');
  t.is(describeValue([]), 'an empty array');
  t.is(describeValue([1, 2]), 'an array of 2');
  t.true(describeValue('x'.repeat(10_000)).length < 100);
});
