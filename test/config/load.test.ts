import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import {
  ConfigError,
  ConfigErrorCode,
  type ConfigProblem,
  describeProblem,
} from '../../runtime/config/errors.ts';
import { findMissingApplications, loadConfig, parseConfig } from '../../runtime/config/load.ts';
import type { ConfigOverrides } from '../../runtime/config/overrides.ts';
import type { ConfigInput } from '../../runtime/config/schema.ts';

const small = {
  pools: { app: { application: './app.ts' } },
  routes: [{ path: '/*', pool: 'app' }],
} satisfies ConfigInput;

function parse(input: unknown, overrides: ConfigOverrides = {}, parallelism = 4) {
  return parseConfig(JSON.stringify(input), '/srv/runtime.config.json', overrides, [], parallelism);
}

/** The error of a configuration that must be wrong. */
function errorOf(text: string, known: readonly ConfigProblem[] = []): ConfigError {
  try {
    parseConfig(text, '/srv/runtime.config.json', {}, known);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

/** The problems of `small` with members replaced. */
function problemsOf(changes: object): readonly ConfigProblem[] {
  return errorOf(JSON.stringify({ ...small, ...changes })).problems;
}

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

test('a byte order mark before the JSON is passed over', (t) => {
  t.notThrows(() => parseConfig(`\uFEFF${JSON.stringify(small)}`, 'a.json'));
});

test('host names in routes are compared in lower case', (t) => {
  t.is(
    parse({ ...small, routes: [{ host: 'Example.ORG', path: '/', pool: 'app' }] }).routes[0].host,
    'example.org',
  );
});

/** One mistake each: what is changed, and the one problem it must give. */
const mistakes: readonly [name: string, changes: object, code: ConfigErrorCode, problem: RegExp][] = [
  [
    'an unknown key',
    { lisnteners: [] },
    ConfigErrorCode.UnknownKey,
    /^\$\.lisnteners .*did you mean "listeners"\?/,
  ],
  [
    'an unknown key that is near to nothing',
    { log: { colour: true } },
    ConfigErrorCode.UnknownKey,
    /^\$\.log\.colour .*expected one of level, format, maxWaitingBytes, maxErrorChars, file, prints, redact, access, got "colour"/,
  ],
  ['a key that JavaScript objects have', { toString: 1 }, ConfigErrorCode.UnknownKey, /^\$\.toString /],
  [
    'a missing key',
    { routes: [{ path: '/' }] },
    ConfigErrorCode.MissingKey,
    /^\$\.routes\[0\]\.pool .*missing, expected the name of a pool/,
  ],
  [
    'a string for a number',
    { drainTimeoutMs: '30s' },
    ConfigErrorCode.WrongType,
    /^\$\.drainTimeoutMs .*expected a whole number from 0 to 2147483647, got "30s"/,
  ],
  [
    'a fraction',
    { limits: { maxConnections: 1.5 } },
    ConfigErrorCode.WrongValue,
    /^\$\.limits\.maxConnections .*whole number.*got 1\.5/,
  ],
  [
    'null for a section',
    { limits: null },
    ConfigErrorCode.WrongType,
    /^\$\.limits .*expected an object, got null/,
  ],
  [
    'an array for a section',
    { http2: [] },
    ConfigErrorCode.WrongType,
    /^\$\.http2 .*expected an object, got an empty array/,
  ],
  [
    'an array for the pools',
    { pools: [] },
    ConfigErrorCode.WrongType,
    /^\$\.pools .*expected an object of pools by name, got an empty array/,
  ],
  [
    'an object for an array',
    { routes: {} },
    ConfigErrorCode.WrongType,
    /^\$\.routes .*expected an array of routes, got an object/,
  ],
  ['no listener', { listeners: [] }, ConfigErrorCode.WrongValue, /^\$\.listeners .*at least one listener/],
  ['no route', { routes: [] }, ConfigErrorCode.WrongValue, /^\$\.routes .*at least one route/],
  [
    'no pool',
    { pools: {} },
    ConfigErrorCode.UnknownPool,
    /^\$\.routes\[0\]\.pool .*expected a pool \(there is none\), got "app"/,
  ],
  [
    'an unknown log level',
    { log: { level: 'verbose' } },
    ConfigErrorCode.WrongValue,
    /^\$\.log\.level .*"trace", "debug".*got "verbose"/,
  ],
  [
    'a connection that ends before its output has to wait',
    { http2: { outputLimitBytes: 2_097_152 } },
    ConfigErrorCode.Conflict,
    /^\$\.http2\.maxUnsentBytes .*more than outputLimitBytes \(2097152\), got 1048576/,
  ],
  [
    'TLS without a certificate',
    { listeners: [{ address: '127.0.0.1:8443', tls: {} }] },
    ConfigErrorCode.MissingKey,
    /^\$\.listeners\[0\]\.tls\.certificates .*an array of certificates/,
  ],
  [
    'permissions of what is no Unix domain socket',
    { listeners: [{ address: '127.0.0.1:8080', permissions: '660' }] },
    ConfigErrorCode.Conflict,
    /^\$\.listeners\[0\]\.permissions .*with a unix: address only/,
  ],
  [
    'the PROXY protocol from nobody',
    { listeners: [{ address: '127.0.0.1:8080', proxyProtocol: 'any' }] },
    ConfigErrorCode.Conflict,
    /^\$\.listeners\[0\]\.proxyProtocol .*name the proxies that may send the header/,
  ],
  [
    'a trusted proxy that is no range',
    { listeners: [{ address: '127.0.0.1:8080', trustedProxies: ['10.0.0.0/8', '10.0.0.0/64'] }] },
    ConfigErrorCode.WrongValue,
    /^\$\.listeners\[0\]\.trustedProxies\[1\] .*at most 32 bits/,
  ],
  [
    'mutual TLS without a CA',
    {
      listeners: [
        { address: '127.0.0.1:1', tls: { certificates: [{ cert: 'c', key: 'k' }], requestCert: true } },
      ],
    },
    ConfigErrorCode.Conflict,
    /^\$\.listeners\[0\]\.tls\.requestCert .*name the CAs/,
  ],
  [
    'a CA that would not be used',
    { listeners: [{ address: '127.0.0.1:1', tls: { certificates: [{ cert: 'c', key: 'k' }], ca: ['ca'] } }] },
    ConfigErrorCode.Conflict,
    /^\$\.listeners\[0\]\.tls\.ca .*no ca without requestCert/,
  ],
  [
    'TLS versions the wrong way round',
    {
      listeners: [
        {
          address: '127.0.0.1:1',
          tls: { certificates: [{ cert: 'c', key: 'k' }], minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' },
        },
      ],
    },
    ConfigErrorCode.Conflict,
    /^\$\.listeners\[0\]\.tls\.minVersion /,
  ],
  [
    'a ring that no client certificate fits in',
    {
      listeners: [
        {
          address: '127.0.0.1:1',
          tls: {
            certificates: [{ cert: 'c', key: 'k' }],
            requestCert: true,
            ca: ['ca'],
            maxClientCertificateBytes: 65_536,
          },
        },
      ],
      pools: { app: { application: './app.ts', ringBytes: 524_288 } },
      http2: { maxFieldListBytes: 16_384 },
    },
    ConfigErrorCode.Conflict,
    /^\$\.pools\.app\.ringBytes .*at least 1048576/,
  ],
  [
    'a wrong address',
    { listeners: [{ address: 'localhost' }] },
    ConfigErrorCode.WrongValue,
    /^\$\.listeners\[0\]\.address .*port is missing/,
  ],
  [
    'two listeners on one address',
    { listeners: [{ address: 'localhost:80' }, { address: 'LOCALHOST:80' }] },
    ConfigErrorCode.Conflict,
    /^\$\.listeners\[1\]\.address .*\$\.listeners\[0\]\.address does not have/,
  ],
  [
    'a route to an unknown pool',
    { routes: [{ path: '/', pool: 'ap' }] },
    ConfigErrorCode.UnknownPool,
    /^\$\.routes\[0\]\.pool .*expected a pool \(app\), got "ap"; did you mean "app"\?/,
  ],
  [
    'two routes for the same requests',
    {
      routes: [
        { path: '/a', pool: 'app' },
        { host: '*', path: '/a', pool: 'app' },
      ],
    },
    ConfigErrorCode.Conflict,
    /^\$\.routes\[1\] .*\$\.routes\[0\] does not have/,
  ],
  [
    'min above max',
    { pools: { app: { application: './app.ts', threads: { min: 3, max: 2 } } } },
    ConfigErrorCode.Conflict,
    /^\$\.pools\.app\.threads\.min .*expected at most max \(2\), got 3/,
  ],
  [
    'a ring that is no power of two',
    { pools: { app: { application: './app.ts', ringBytes: 100_000 } } },
    ConfigErrorCode.WrongValue,
    /^\$\.pools\.app\.ringBytes .*expected a power of two from 65536 to 67108864, got 100000/,
  ],
  [
    'a ring too small for the largest request head',
    { pools: { app: { application: './app.ts', ringBytes: 131_072 } } },
    ConfigErrorCode.Conflict,
    /^\$\.pools\.app\.ringBytes .*at least 262144.*got 131072; or lower \$\.http2\.maxFieldListBytes \(32768\)/,
  ],
  [
    'an empty application path',
    { pools: { app: { application: '' } } },
    ConfigErrorCode.WrongValue,
    /^\$\.pools\.app\.application .*the path of a module/,
  ],
  [
    'a pool name with a space',
    { pools: { app: { application: './app.ts' }, 'my app': { application: './app.ts' } } },
    ConfigErrorCode.WrongValue,
    /^\$\.pools\["my app"\] .*expected a name of letters/,
  ],
  [
    'a pool called constructor',
    { pools: { app: { application: './app.ts' }, constructor: { application: './app.ts' } } },
    ConfigErrorCode.WrongValue,
    /^\$\.pools\.constructor .*a name that JavaScript does not reserve/,
  ],
];

for (const [name, changes, code, problem] of mistakes) {
  test(`one error with its path, what was expected and what came: ${name}`, (t) => {
    const problems = problemsOf(changes);
    t.deepEqual(
      problems.map((each) => each.code),
      [code],
    );
    t.regex(describeProblem(problems[0]), problem);
    t.regex(describeProblem(problems[0]), /\(line 1, column \d+\)/);
  });
}

for (const path of ['render', '/a b', '/a?b', '/a#b', '/*/b', '/a*', '/a/**', '*', '']) {
  test(`the route path ${JSON.stringify(path)} is refused`, (t) => {
    const [{ where, expected }, ...others] = problemsOf({ routes: [{ path, pool: 'app' }] });
    t.is(where, '$.routes[0].path');
    t.regex(expected, /"\/render\/\*"/);
    t.is(others.length, 0);
  });
}

for (const host of ['a:80', 'http://a', '*.', 'a.*', '**', 'a..b', '']) {
  test(`the route host ${JSON.stringify(host)} is refused`, (t) => {
    const problems = problemsOf({ routes: [{ host, path: '/', pool: 'app' }] });
    t.deepEqual(
      problems.map(({ where }) => where),
      ['$.routes[0].host'],
    );
  });
}

test('two listeners on port 0 are two free ports and no conflict', (t) => {
  const listeners = [{ address: '127.0.0.1:0' }, { address: '127.0.0.1:0' }];
  t.is(parse({ ...small, listeners }).listeners.length, 2);
});

test('every error is reported at once, in the order of the file, each with line and column', (t) => {
  const { problems, message } = errorOf(`{
  "listeners": [{ "address": "localhost" }],
  "pools": {
    "app": { "threads": { "min": 4, "max": "2" }, "queue": { "maxExchanges": -1, "size": 3 } },
    "other": { "application": "./b.ts", "threads": { "min": 4, "max": 2 } }
  },
  "routes": [{ "path": "/*", "pool": "ap" }, { "path": "/*", "pool": "other", "prefix": 1 }],
  "log": { "level": "info" },
  "log": { "level": "INFO" }
}`);
  t.deepEqual(
    problems.map(({ code, where, line, column }) => [code, where, line, column]),
    [
      [ConfigErrorCode.WrongValue, '$.listeners[0].address', 2, 30],
      [ConfigErrorCode.MissingKey, '$.pools.app.application', 4, 12],
      [ConfigErrorCode.WrongType, '$.pools.app.threads.max', 4, 44],
      [ConfigErrorCode.WrongValue, '$.pools.app.queue.maxExchanges', 4, 78],
      [ConfigErrorCode.UnknownKey, '$.pools.app.queue.size', 4, 90],
      [ConfigErrorCode.Conflict, '$.pools.other.threads.min', 5, 61],
      [ConfigErrorCode.UnknownPool, '$.routes[0].pool', 7, 38],
      [ConfigErrorCode.Conflict, '$.routes[1]', 7, 46],
      [ConfigErrorCode.UnknownKey, '$.routes[1].prefix', 7, 89],
      [ConfigErrorCode.DuplicateKey, '$.log', 9, 3],
      [ConfigErrorCode.WrongValue, '$.log.level', 9, 21],
    ],
  );
  t.is(message.split('\n')[0], '/srv/runtime.config.json: 11 errors');
  t.is(message.split('\n').length, 12);
});

test('a syntax error gives the line and the column, together with what was found on the command line', (t) => {
  const known = {
    code: ConfigErrorCode.WrongValue,
    where: '--threads',
    expected: 'a number',
    received: '"x"',
  };
  const error = errorOf('{\n  "pools": {,\n}', [known]);
  t.is(error.code, ConfigErrorCode.Invalid);
  t.deepEqual(error.problems, [
    known,
    {
      code: ConfigErrorCode.Syntax,
      where: '$',
      expected: 'a property name in double quotes',
      received: '","',
      line: 2,
      column: 13,
    },
  ]);
  t.is(error.source, 'flags, variables and /srv/runtime.config.json');
});

for (const text of ['null', '[]', '"a"', '1']) {
  test(`a file that is ${text} is one error about the whole of it`, (t) => {
    const { problems } = errorOf(text);
    t.deepEqual(
      problems.map(({ code, where, expected }) => [code, where, expected]),
      [[ConfigErrorCode.WrongType, '$', 'an object']],
    );
  });
}

test('a file that is not there is an error that says how to name another', (t) => {
  const error = t.throws(() => loadConfig('/nowhere/runtime.config.json'), { instanceOf: ConfigError });
  t.is(error?.problems[0].code, ConfigErrorCode.FileUnreadable);
  t.is(error?.problems[0].received, 'no such file');
  t.regex(error?.problems[0].hint ?? '', /--config FILE or SLUICE_CONFIG/);
});

test('a directory in place of the file is an error with the cause', (t) => {
  const error = t.throws(() => loadConfig('/'), { instanceOf: ConfigError });
  t.regex(error?.problems[0].received ?? '', /EISDIR/);
});

test('overrides stand over the file, for every pool', (t) => {
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

test('TLS for development is put on the listeners that have none', (t) => {
  const tls = { certificates: [{ cert: './a.pem', key: './a.key' }], minVersion: 'TLSv1.3' };
  const listeners = [{ address: 'localhost:80' }, { address: 'localhost:443', tls }];
  const config = parse({ ...small, listeners }, { devTls: { value: true, source: '--dev-tls' } });
  t.like(config.listeners[0].tls, { certificates: [], minVersion: 'TLSv1.2', handshakeTimeoutMs: 10_000 });
  t.like(config.listeners[1].tls, { minVersion: 'TLSv1.3', where: '$.listeners[1].tls' });
});

test('rings have room for what TLS for development says of a connection', (t) => {
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

test('an application that is not there is found before any thread is started for it', (t) => {
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
