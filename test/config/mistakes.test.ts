/** Mistakes in a configuration: each gives one error that says where it is and what was expected. */
import test from 'ava';
import { ConfigErrorCode, describeProblem } from '../../runtime/config/errors.ts';
import { errorOf, problemsOf } from './parsing.ts';

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
