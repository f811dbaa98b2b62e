import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import { ConfigError } from '../../runtime/config/errors.ts';
import { generateSchema } from '../../runtime/config/generate-schema.ts';
import { parseConfig } from '../../runtime/config/load.ts';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import { defaultHttp2Options, http2Options } from '../../runtime/http2/options.ts';
import { fieldsBound } from '../../wire/encoder.ts';
import { maxMessageLength } from '../../wire/layout.ts';

/** The part of JSON Schema that the published file uses. */
interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly unknown[];
}

const published: JsonSchema = JSON.parse(
  readFileSync(new URL('../../runtime/config/schema.json', import.meta.url), 'utf8'),
);
const validate = new Ajv2020({ strict: true, allErrors: true }).compile(published);

interface Property {
  /** Keys from the root; the pool is `app`, arrays have one item. */
  readonly keys: readonly string[];
  readonly schema: JsonSchema;
  readonly required: boolean;
}

function* propertiesOf(schema: JsonSchema, keys: readonly string[] = []): Generator<Property> {
  for (const [key, member] of Object.entries(schema.properties ?? {})) {
    yield { keys: [...keys, key], schema: member, required: schema.required?.includes(key) === true };
    yield* propertiesOf(member, [...keys, key]);
  }
  if (schema.items !== undefined) yield* propertiesOf(schema.items, [...keys, '0']);
  if (typeof schema.additionalProperties === 'object')
    yield* propertiesOf(schema.additionalProperties, [...keys, 'app']);
}

const properties = [...propertiesOf(published)];
const numbers = properties.filter(({ schema }) => schema.type === 'integer');

/** Two limits of which one must be the larger: the other is out of the way when one is tried. */
const beside: Readonly<Record<string, (http2: object) => object>> = {
  'http2.outputLimitBytes': (http2) => ({ http2: { ...http2, maxUnsentBytes: 2 ** 30 } }),
  'http2.maxUnsentBytes': (http2) => ({ http2: { ...http2, outputLimitBytes: 1 } }),
  'actors.app.maxMessageBytes': (actor) => ({
    actors: { app: { ...actor, mailboxBytes: 2 ** 30, callerBytes: 2 ** 30 } },
  }),
  'actors.app.mailboxBytes': (actor) => ({ actors: { app: { ...actor, maxMessageBytes: 256 } } }),
  'actors.app.callerBytes': (actor) => ({ actors: { app: { ...actor, maxMessageBytes: 256 } } }),
  'topics.maxMessageBytes': (topics) => ({
    topics: { ...topics, threadBytes: 2 ** 30, subscriptionBytes: 2 ** 30, publishBytes: 2 ** 30 },
  }),
  'topics.threadBytes': (topics) => ({ topics: { ...topics, maxMessageBytes: 256 } }),
  'topics.subscriptionBytes': (topics) => ({ topics: { ...topics, maxMessageBytes: 256 } }),
  'topics.publishBytes': (topics) => ({ topics: { ...topics, maxMessageBytes: 256 } }),
};

/** A configuration with one value set, and large rings so that no head is too large for them. Its first route has files, its actor is `app`. */
function inputWith(keys: readonly string[], value: unknown): object {
  const certificates = [{ cert: './a.pem', key: './a.key' }];
  const input = {
    listeners: [{ address: '127.0.0.1:8080', tls: { certificates } }],
    pools: {
      app: {
        application: './app.ts',
        module: './actors.ts',
        ringBytes: 67_108_864,
        threads: { max: 1_024 },
      },
    },
    // Their largest message would be too large for the rings of some tests.
    ...(keys[0] !== 'pools' && { actors: { app: { pool: 'app', export: 'App', kind: 'pool' } } }),
    routes: [
      { path: '/files/*', static: { root: '.' } },
      { path: '/*', pool: 'app' },
    ],
  };
  let at: Record<string, unknown> = input;
  for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>;
  at[keys.at(-1) ?? ''] = value;
  return { ...input, ...beside[keys.join('.')]?.(at) };
}

function problemPaths(input: object): string[] {
  try {
    parseConfig(JSON.stringify(input), 'test.json');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ where }) => where);
    throw error;
  }
}

test('the published JSON Schema is the one that the server checks with', (t) => {
  t.deepEqual(published, JSON.parse(JSON.stringify(generateSchema())));
});

test('every property has a description, and a default unless it is required or says what its absence means', (t) => {
  t.true(properties.length > 60);
  for (const { keys, schema, required } of properties) {
    const name = keys.join('.');
    t.truthy(schema.description, `${name} has no description`);
    if (required || name === '$schema' || schema.default !== undefined) continue;
    t.regex(schema.description ?? '', /Default: /, `${name} has no default`);
  }
});

test('every object in the schema refuses unknown keys', (t) => {
  for (const { keys, schema } of properties) {
    if (schema.type === 'object') t.not(schema.additionalProperties, undefined, keys.join('.'));
  }
});

test('the defaults that the schema publishes are the ones that the server takes', (t) => {
  const input = { ...inputWith(['routes', '0', 'host'], '*'), monitoring: {}, admin: {}, tracing: {} };
  const config = parseConfig(JSON.stringify(input), 'test.json');
  let compared = 0;
  for (const { keys, schema } of numbers) {
    if (schema.default === undefined || keys.at(-1) === 'ringBytes') continue;
    let at: unknown = config;
    for (const key of keys) at = (at as Record<string, unknown>)[key];
    t.is(at, schema.default, keys.join('.'));
    compared += 1;
  }
  t.true(compared > 40);
});

for (const { keys, schema } of numbers) {
  const name = keys.join('.');
  test(`${name} is taken from its minimum to its maximum, refused beyond, and named by its path`, (t) => {
    const { minimum = Number.NaN, maximum = Number.NaN } = schema;
    const path = `$.${name.replace(/\.(\d+)/g, '[$1]')}`;
    for (const value of [minimum, maximum]) {
      t.deepEqual(problemPaths(inputWith(keys, value)), [], `${value}`);
      t.true(validate(inputWith(keys, value)), `${value}`);
    }
    for (const value of [minimum - 1, maximum + 1, minimum + 0.5, `${minimum}`, null, true]) {
      t.deepEqual(problemPaths(inputWith(keys, value)), [path], `${value}`);
      t.false(validate(inputWith(keys, value)), `${value}`);
    }
  });
}

test('every ring size of the schema is taken by the wire, and any other is refused', (t) => {
  const ring = properties.find(({ keys }) => keys.at(-1) === 'ringBytes');
  for (const value of ring?.schema.enum ?? []) {
    const input = { ...inputWith(['pools', 'app', 'ringBytes'], value), http2: { maxFieldListBytes: 1_024 } };
    const lowered = { ...input, http1: { maxHeaderBytes: 1_024 } };
    t.deepEqual(problemPaths(lowered), [], `${value}`);
  }
  for (const value of [0, 65_537, 32_768, 134_217_728, '1048576']) {
    t.deepEqual(problemPaths(inputWith(['pools', 'app', 'ringBytes'], value)), ['$.pools.app.ringBytes']);
    t.false(validate(inputWith(['pools', 'app', 'ringBytes'], value)));
  }
});

test('where a ring is just large enough, the worst request head that HTTP/2 lets in fits in half of it', (t) => {
  for (const [ringBytes, maxFieldListBytes] of [
    [262_144, 42_000],
    [1_048_576, 173_000],
  ]) {
    const listeners = [{ address: '127.0.0.1:8080' }];
    const input = {
      ...inputWith(['pools', 'app', 'ringBytes'], ringBytes),
      listeners,
      http2: { maxFieldListBytes },
    };
    t.deepEqual(problemPaths(input), []);
    // A list of `size` bytes as one long line, and as many short ones (RFC 9113 section 6.5.2: 32 for each line).
    const long = ['x', 'v'.repeat(maxFieldListBytes - 33)];
    const short = Array.from({ length: Math.floor(maxFieldListBytes / 34) }, () => ['x', 'v']).flat();
    for (const fields of [long, short]) t.true(fieldsBound(fields) + 256 <= maxMessageLength(ringBytes));
    const larger = { ...input, http2: { maxFieldListBytes: maxFieldListBytes + 1_024 } };
    t.deepEqual(problemPaths(larger), ['$.pools.app.ringBytes']);
  }
});

test('the http2 section has every limit of the engine under its name and with its default', (t) => {
  const { http2 } = parseConfig(JSON.stringify(inputWith(['drainTimeoutMs'], 1)), 'test.json');
  // What is no limit, but a feature that the server turns on when it has it.
  const { enableConnectProtocol: _feature, ...limits } = defaultHttp2Options;
  t.deepEqual({ ...http2 }, limits);
});

test('the engine takes every value of the http2 section that the schema lets through', (t) => {
  for (const { keys, schema } of numbers) {
    if (keys[0] !== 'http2') continue;
    for (const value of [schema.minimum, schema.maximum]) {
      const { http2 } = parseConfig(JSON.stringify(inputWith(keys, value)), 'test.json');
      t.notThrows(() => http2Options(http2), keys.join('.'));
    }
  }
});

const full: ConfigInput = {
  $schema: './node_modules/sluice/runtime/config/schema.json',
  listeners: [
    { address: '0.0.0.0:8080', proxyProtocol: 'v2', trustedProxies: ['10.0.0.0/8', 'fd00::/8'] },
    {
      address: 'unix:/run/sluice.sock',
      permissions: '660',
      trustedProxies: ['unix'],
      forwardedFields: ['x-forwarded-for', 'x-forwarded-proto'],
    },
    { address: 'systemd:web' },
    { address: 'fd:3' },
    {
      address: '[::]:8443',
      tls: {
        certificates: [{ cert: './a.pem', key: './a.key', passphraseFile: './a.pass' }],
        minVersion: 'TLSv1.3',
        requestCert: true,
        rejectUnauthorized: false,
        ca: ['./ca.pem'],
        ticketKeys: './ticket.keys',
      },
    },
  ],
  pools: {
    render: {
      application: './apps/render/app.ts',
      threads: { min: 2, max: 8 },
      idleTimeoutMs: 60_000,
      resourceLimits: {
        maxOldGenerationSizeMb: 512,
        maxYoungGenerationSizeMb: 64,
        codeRangeSizeMb: 16,
        stackSizeMb: 8,
      },
      exchangesPerThread: 16,
      queue: { maxExchanges: 256, maxWaitMs: 2_000 },
      retryAfterSeconds: 5,
      requestWindowBytes: 131_072,
      responseWindowBytes: 524_288,
      ringBytes: 4_194_304,
      recallAfterMs: 2,
      restart: { intensity: 3, periodMs: 60_000 },
      startTimeoutMs: 20_000,
    },
  },
  routes: [
    { host: '*.example.org', path: '/render/*', pool: 'render' },
    {
      path: '/assets/*',
      static: {
        root: './public',
        index: ['index.html', 'index.htm'],
        dotfiles: 'refuse',
        symlinks: 'anywhere',
        precompressed: ['zstd', 'gzip'],
        recheckMs: 60_000,
        etag: 'ctime',
        cacheControl: 'public, max-age=31536000, immutable',
        maxRanges: 4,
        readBytes: 131_072,
        threads: 2,
        exchangesPerThread: 256,
      },
    },
  ],
  limits: { maxConnections: 50_000, headerTimeoutMs: 5_000, idleTimeoutMs: 60_000 },
  http2: { maxConcurrentStreams: 256, budgets: { peerResets: { burst: 1_000, perSecond: 200 } } },
  http1: { enabled: false },
  drainTimeoutMs: 10_000,
  log: { level: 'warn', format: 'json' },
};

const examples: readonly [name: string, input: object][] = [
  ['the smallest', { pools: { app: { application: './app.ts' } }, routes: [{ path: '/*', pool: 'app' }] }],
  ['one with everything', full],
  ['files alone', { routes: [{ path: '/*', static: { root: '.' } }] }],
  [
    'the sample configuration',
    JSON.parse(readFileSync(new URL('../../runtime.config.json', import.meta.url), 'utf8')),
  ],
];

for (const [name, input] of examples) {
  test(`an independent JSON Schema validator and the server both take the example: ${name}`, (t) => {
    t.true(validate(input), JSON.stringify(validate.errors));
    t.deepEqual(problemPaths(input), []);
  });
}

test('an independent JSON Schema validator refuses what the server refuses for its shape', (t) => {
  const app = { application: './app.ts' };
  const routes = [{ path: '/*', pool: 'app' }];
  for (const input of [
    {},
    { pools: { app: { application: '' } }, routes },
    { pools: { app }, routes: [] },
    { pools: { 'a b': app }, routes },
    { pools: { app }, routes, listeners: [] },
    { pools: { app }, routes, listeners: [{ address: 'http://x' }] },
    { pools: { app }, routes: [{ path: 'x', pool: 'app' }] },
    { pools: { app }, routes, unknown: 1 },
    { pools: { app: { ...app, threads: { mim: 1 } } }, routes },
    { pools: { app }, routes, log: { level: 'loud' } },
  ]) {
    t.false(validate(input), JSON.stringify(input));
    t.not(problemPaths(input).length, 0, JSON.stringify(input));
  }
});
