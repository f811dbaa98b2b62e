import test from 'ava';
import { expectation, missingPeers } from './expectations.ts';

test('programs are searched for in PATH and where Debian keeps servers', (t) => {
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

test('the time of a run and the missing programs are said together', (t) => {
  t.regex(expectation('whole', []), /^Running every test: about \d+ minutes on two idle cores\.$/);
  t.regex(expectation('short', []), /^Running the short tests: about two minutes /);
  t.regex(
    expectation('fast', ['curl', 'nginx']),
    /^Running the fast tests: .* not installed, .*: curl, nginx\.$/,
  );
});
