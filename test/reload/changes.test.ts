/** What of a configuration a server that runs can take over, and how it tells of what has changed. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { changedPlaces, fixedProblems } from '../../runtime/config/changes.ts';
import type { Config } from '../../runtime/config/config.ts';
import { parseConfig } from '../../runtime/config/load.ts';
import type { ConfigInput } from '../../runtime/config/schema.ts';

const guide = readFileSync(new URL('../../docs/reload.md', import.meta.url), 'utf8');
const tls = { certificates: [{ cert: 'c.pem', key: 'k.pem' }] };
const base: ConfigInput = {
  listeners: [{ address: '127.0.0.1:8080' }, { address: '127.0.0.1:8443', tls }],
  pools: { app: { application: './app.js' } },
  routes: [{ path: '/*', pool: 'app' }],
};

const parse = (input: ConfigInput): Config => parseConfig(JSON.stringify(input), '/srv/a.json');

function listenerWith(changes: object): Partial<ConfigInput> {
  const [first, second] = base.listeners as NonNullable<ConfigInput['listeners']>;
  return { listeners: [first, { ...second, ...changes }] as ConfigInput['listeners'] };
}

/** By what it is called in the guide. */
const fixed: readonly (readonly [name: string, where: string, changes: Partial<ConfigInput>])[] = [
  ['listeners', '$.listeners.length', { listeners: [{ address: '127.0.0.1:8080' }] }],
  ['address', '$.listeners[1].address', listenerWith({ address: '127.0.0.1:9443' })],
  ['tls', '$.listeners[1].tls', listenerWith({ tls: undefined })],
  [
    'requestCert',
    '$.listeners[1].tls.requestCert',
    listenerWith({ tls: { ...tls, requestCert: true, ca: ['a'] } }),
  ],
  [
    'rejectUnauthorized',
    '$.listeners[1].tls.rejectUnauthorized',
    listenerWith({ tls: { ...tls, rejectUnauthorized: false } }),
  ],
  [
    'handshakeTimeoutMs',
    '$.listeners[1].tls.handshakeTimeoutMs',
    listenerWith({ tls: { ...tls, handshakeTimeoutMs: 1 } }),
  ],
  [
    'sessionLifetimeSeconds',
    '$.listeners[1].tls.sessionLifetimeSeconds',
    listenerWith({ tls: { ...tls, sessionLifetimeSeconds: 1 } }),
  ],
  [
    'ticketRotationMs',
    '$.listeners[1].tls.ticketRotationMs',
    listenerWith({ tls: { ...tls, ticketRotationMs: 1_000 } }),
  ],
  ['ticketKeys', '$.listeners[1].tls.ticketKeys', listenerWith({ tls: { ...tls, ticketKeys: 'keys' } })],
  ['http1.enabled', '$.http1.enabled', { http1: { enabled: false } }],
  [
    'actors',
    '$.actors',
    {
      pools: { app: { application: './app.js', module: './actors.js' } },
      actors: { counter: { pool: 'app', export: 'Counter', kind: 'keyed' } },
    },
  ],
  ['control', '$.control.maxBodyBytes', { control: { maxBodyBytes: 2_048 } }],
  ['monitoring', '$.monitoring', { monitoring: {} }],
  ['admin', '$.admin', { admin: {} }],
  ['profiling', '$.profiling.maxSeconds', { profiling: { maxSeconds: 1 } }],
  ['log', '$.log.format', { log: { format: 'json' } }],
];

for (const [name, where, changes] of fixed) {
  test(`${where} cannot change while the server runs, and the guide says so`, (t) => {
    const problems = fixedProblems(parse(base), parse({ ...base, ...changes }));
    t.true(problems.some((problem) => problem.where === where && problem.code === 'SLUICE_CONFIG_FIXED'));
    t.true(guide.includes(`\`${name}\``), name);
  });
}

test('no setting of the operators’ listeners can', (t) => {
  const own = { monitoring: {}, admin: { tokenFile: 'a' }, control: {} };
  const before = { ...base, ...own };
  const numbers = {
    monitoring: ['maxConnections', 'maxRequestsPerSecond', 'maxRememberedAddresses', 'maxStreams'],
    admin: ['maxRequestsPerSecond', 'maxRememberedAddresses', 'maxStreams', 'busyPercent', 'busyBurstMs'],
    control: ['maxRequestsPerSecond', 'maxStreams', 'busyPercent', 'busyBurstMs'],
  };
  for (const section of ['monitoring', 'admin', 'control'] as const) {
    for (const name of numbers[section]) {
      const after = { ...before, [section]: { ...own[section], [name]: 3 } };
      const problems = fixedProblems(parse(before), parse(after));
      t.deepEqual(
        problems.map(({ where }) => where),
        [`$.${section}.${name}`],
      );
    }
  }
});

test('everything else can', (t) => {
  const after = parse({
    ...base,
    ...listenerWith({
      proxyProtocol: 'any',
      trustedProxies: ['10.0.0.0/8'],
      health: false,
      tls: { certificates: [{ cert: 'd.pem', key: 'l.pem' }], minVersion: 'TLSv1.3', watch: false },
    }),
    pools: { other: { application: './other.js', threads: { min: 3, max: 4 } } },
    routes: [{ path: '/*', pool: 'other' }],
    limits: { maxConnections: 1, linger: { quietMs: 1 } },
    http2: { maxConcurrentStreams: 1 },
    http1: { keepAliveTimeoutMs: 1 },
    health: { live: '/l', ready: '/r' },
    drainTimeoutMs: 1,
    drainDelayMs: 1,
    reload: { drainTimeoutMs: 1 },
    log: { level: 'warn', access: { write: 'always' } },
  });
  t.deepEqual(fixedProblems(parse(base), after), []);
});

test('changes are told by their places, to the value where both have the object', (t) => {
  const before = parse(base);
  t.deepEqual(changedPlaces(before, parse(base)), []);
  const after = parse({
    ...base,
    ...listenerWith({ forwardedFields: [] }),
    pools: {
      app: { application: './app.js', queue: { maxExchanges: 3 } },
      more: { application: './more.js' },
    },
    limits: { linger: { quietMs: 1 } },
  });
  t.deepEqual(changedPlaces(before, after).toSorted(), [
    '$.limits.linger.quietMs',
    '$.listeners[1].forwardedFields',
    '$.pools.app.queue.maxExchanges',
    '$.pools.more',
  ]);
});
