/** What a configuration file that is valid means, and which file is read. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { ConfigError, ConfigErrorCode } from '../../runtime/config/errors.ts';
import { findMissingApplications, loadConfig, parseConfig } from '../../runtime/config/load.ts';
import { parse, small } from './parsing.ts';

test('pools and routes are enough; everything else has a default', (t) => {
  const config = parse(small);
  t.is(config.listeners.length, 1);
  const [{ address, ...options }] = config.listeners;
  t.deepEqual(address, { kind: 'tcp', address: '127.0.0.1:8080', host: '127.0.0.1', port: 8080 });
  t.deepEqual(options, {
    permissions: null,
    health: true,
    tls: null,
    proxyProtocol: 'off',
    maxProxyHeaderBytes: 4_096,
    trustedProxies: [],
    forwardedFields: ['forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'],
  });
  t.deepEqual(config.routes, [{ host: '*', path: '/*', pool: 'app', websocket: false, connect: false }]);
  t.deepEqual(config.health, { unresponsiveMs: 10_000 });
  t.is(config.drainTimeoutMs, 30_000);
  t.is(config.drainDelayMs, 0);
  t.is(config.requestId, null);
  t.deepEqual(config.log, {
    level: 'info',
    format: 'auto',
    maxWaitingBytes: 4_194_304,
    maxErrorChars: 8_192,
    file: null,
    prints: 'labelled',
    redact:
      'authorization cookie set-cookie password token access_token refresh_token id_token secret client_secret api_key apikey'.split(
        ' ',
      ),
    access: {
      write: 'auto',
      fields: [
        'remoteAddress',
        'method',
        'path',
        'version',
        'status',
        'outcome',
        'durationMs',
        'responseBytes',
        'pool',
        'requestId',
      ],
      sample: 1,
    },
  });
  t.deepEqual(config.http1, {
    enabled: true,
    maxHeaderBytes: 16_384,
    maxFieldLines: 128,
    maxRequestsPerConnection: 100_000,
    maxPipelinedRequests: 128,
    maxParallelRequests: 32,
    smallChunks: { burst: 262_144, perSecond: 16_384 },
    maxDiscardedBytes: 262_144,
    discardTimeoutMs: 5_000,
    halfCloseTimeoutMs: 250,
    upgradeH2c: true,
  });
  const { app } = config.pools;
  t.is(app.name, 'app');
  t.deepEqual(app.threads, { min: 1, max: 4 });
  t.deepEqual(app.queue, { maxExchanges: 1_024, maxWaitMs: 10_000 });
  t.deepEqual(app.restart, {
    intensity: 5,
    periodMs: 10_000,
    delayMs: 100,
    maxDelayMs: 30_000,
    giveUp: false,
  });
  t.deepEqual(app.resourceLimits, {});
});

test('an application is found relative to the file, not to the working directory', (t) => {
  const pools = {
    near: { application: './app.ts' },
    up: { application: '../b/app.ts' },
    root: { application: '/c.ts' },
  };
  const config = parse({ ...small, pools, routes: [{ path: '/*', pool: 'near' }] });
  t.is(config.pools.near.application, '/srv/app.ts');
  t.is(config.pools.up.application, '/b/app.ts');
  t.is(config.pools.root.application, '/c.ts');
});

test('threads without a max go up to what the machine runs in parallel, and never below min', (t) => {
  const threads = (min: number | undefined, parallelism: number) =>
    parse({ ...small, pools: { app: { application: './app.ts', threads: { min } } } }, {}, parallelism).pools
      .app.threads;
  t.deepEqual(threads(undefined, 8), { min: 1, max: 8 });
  t.deepEqual(threads(6, 2), { min: 6, max: 6 });
});

test('a byte order mark before the JSON is skipped', (t) => {
  t.notThrows(() => parseConfig(`\uFEFF${JSON.stringify(small)}`, 'a.json'));
});

test('host names in routes are compared in lower case', (t) => {
  t.is(
    parse({ ...small, routes: [{ host: 'Example.ORG', path: '/', pool: 'app' }] }).routes[0].host,
    'example.org',
  );
});

test('two listeners on port 0 are two free ports and no conflict', (t) => {
  const listeners = [{ address: '127.0.0.1:0' }, { address: '127.0.0.1:0' }];
  t.is(parse({ ...small, listeners }).listeners.length, 2);
});

test('a missing file is an error that says how to name another', (t) => {
  const error = t.throws(() => loadConfig('/nowhere/runtime.config.json'), { instanceOf: ConfigError });
  t.is(error?.problems[0].code, ConfigErrorCode.FileUnreadable);
  t.is(error?.problems[0].received, 'no such file');
  t.regex(error?.problems[0].hint ?? '', /--config FILE or SLUICE_CONFIG/);
});

test('a directory in place of the file is an error with the cause', (t) => {
  const error = t.throws(() => loadConfig('/'), { instanceOf: ConfigError });
  t.regex(error?.problems[0].received ?? '', /EISDIR/);
});

test('a missing application is found before any thread is started for it', (t) => {
  const here = fileURLToPath(import.meta.url);
  const pools = { here: { application: here }, gone: { application: './gone.ts' } };
  const config = parse({ pools, routes: [{ path: '/*', pool: 'here' }] });
  t.deepEqual(findMissingApplications(config), [
    {
      code: ConfigErrorCode.ApplicationMissing,
      where: '$.pools.gone.application',
      expected: 'a module that exists',
      received: '"/srv/gone.ts"',
    },
  ]);
});

test("this project's own configuration is valid", (t) => {
  const file = fileURLToPath(new URL('../../runtime.config.json', import.meta.url));
  const config = parseConfig(readFileSync(file, 'utf8'), file);
  t.deepEqual(Object.keys(config.pools), [
    'index',
    'demo-loop',
    'demo-pool',
    'hello',
    'echo',
    'chat',
    'hash',
    'render',
    'thumbnail',
    'counter',
    'report',
    'analysis',
    'middleware',
    'notify',
  ]);
  t.is(config.routes.length, 13);
});
