import test from 'ava';
import { expectation, missingPeers } from './expectations.ts';

test('peers are looked for in PATH, and where Debian keeps servers', (t) => {
  const there = new Set([
    '/a/curl',
    '/b/nghttp',
    '/b/h2load',
    '/a/openssl',
    '/usr/sbin/nginx',
    '/usr/sbin/haproxy',
  ]);
  t.deepEqual(
    missingPeers('/a:/b', (file) => there.has(file)),
    ['chromium', 'ip'],
  );
  t.is(missingPeers('', () => false).length, 8);
});

test('what is missing is said with the time that a run takes', (t) => {
  t.regex(expectation(false, []), /^Running every test: about \d+ minutes on two idle cores\.$/);
  t.regex(
    expectation(true, ['curl', 'nginx']),
    /^Running the quick tests: .* not installed, .*: curl, nginx\.$/,
  );
});
