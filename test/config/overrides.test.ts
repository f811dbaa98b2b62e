/** Flags and environment variables in place of what the file says. */
import test from 'ava';
import { ConfigError, ConfigErrorCode } from '../../runtime/config/errors.ts';
import type { ConfigOverrides } from '../../runtime/config/overrides.ts';
import { parse, small } from './parsing.ts';

test('flags override the file, for every pool', (t) => {
  const pools = { a: { application: './a.ts', threads: { min: 1, max: 2 } }, b: { application: './b.ts' } };
  const address = { kind: 'tcp', address: '[::1]:1', host: '::1', port: 1 } as const;
  const overrides: ConfigOverrides = {
    listeners: { value: [address], source: '--address' },
    threads: { value: { min: 3, max: 5 }, source: '--threads' },
    drainTimeoutMs: { value: 0, source: '--drain-timeout' },
    logLevel: { value: 'silent', source: '--log-level' },
    logFormat: { value: 'text', source: '--log-format' },
  };
  const routes = [{ path: '/*', pool: 'a' }];
  const config = parse(
    { pools, routes, listeners: [{ address: 'localhost:80' }], drainTimeoutMs: 1 },
    overrides,
  );
  t.deepEqual(
    config.listeners.map((listener) => listener.address),
    [address],
  );
  t.deepEqual(config.pools.a.threads, { min: 3, max: 5 });
  t.deepEqual(config.pools.b.threads, { min: 3, max: 5 });
  t.is(config.drainTimeoutMs, 0);
  t.like(config.log, { level: 'silent', format: 'text' });
});

test("an address of the command line keeps the other options of the file's listener in its place", (t) => {
  const at = (port: number) => ({ kind: 'tcp', address: `[::1]:${port}`, host: '::1', port }) as const;
  const tls = { certificates: [{ cert: './a.pem', key: '/etc/a.key' }] };
  const listeners = [{ address: 'localhost:80' }, { address: 'localhost:443', tls, trustedProxies: ['::1'] }];
  const config = parse(
    { ...small, listeners },
    { listeners: { value: [at(1), at(2), at(3)], source: '--address' } },
  );
  t.deepEqual(
    config.listeners.map((listener) => [listener.tls?.certificates, listener.trustedProxies.length]),
    [
      [undefined, 0],
      [[{ cert: '/srv/a.pem', key: '/etc/a.key', passphraseFile: null }], 1],
      [[{ cert: '/srv/a.pem', key: '/etc/a.key', passphraseFile: null }], 1],
    ],
  );
});

test('TLS for development applies to the listeners without TLS', (t) => {
  const tls = { certificates: [{ cert: './a.pem', key: './a.key' }], minVersion: 'TLSv1.3' };
  const listeners = [{ address: 'localhost:80' }, { address: 'localhost:443', tls }];
  const config = parse({ ...small, listeners }, { devTls: { value: true, source: '--dev-tls' } });
  t.like(config.listeners[0].tls, { certificates: [], minVersion: 'TLSv1.2', handshakeTimeoutMs: 10_000 });
  t.like(config.listeners[1].tls, { minVersion: 'TLSv1.3', where: '$.listeners[1].tls' });
});

test('rings must have room for the facts about a connection with TLS for development', (t) => {
  const tight = {
    ...small,
    pools: { app: { application: './app.ts', ringBytes: 65_536 } },
    http1: { maxHeaderBytes: 9_700 },
    http2: { maxFieldListBytes: 9_700 },
  };
  t.notThrows(() => parse(tight));
  const error = t.throws(() => parse(tight, { devTls: { value: true, source: '--dev-tls' } }), {
    instanceOf: ConfigError,
  });
  t.is(error?.problems[0].where, '$.pools.app.ringBytes');
});

test('the same address twice on the command line is a conflict that names the flag', (t) => {
  const listener = { kind: 'tcp', address: 'localhost:80', host: 'localhost', port: 80 } as const;
  const overrides: ConfigOverrides = { listeners: { value: [listener, listener], source: '--address' } };
  const error = t.throws(() => parse(small, overrides), { instanceOf: ConfigError });
  t.is(error?.problems[0].where, '--address');
  t.is(error?.problems[0].code, ConfigErrorCode.Conflict);
  t.is(error?.source, 'flags and variables');
});
