/** JSON Schemas of the answers of the admin endpoints. A test holds live answers to them. */
import { logLevels } from '../config/log-schema.ts';

export type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const count: Schema = { type: 'integer', minimum: 0 };
const number: Schema = { type: 'number', minimum: 0 };
const flag: Schema = { type: 'boolean' };

export function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

/** An object whose members are all required. */
export function object(
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
): Schema {
  return {
    type: 'object',
    properties,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
    additionalProperties: false,
  };
}

export function list(items: Schema): Schema {
  return { type: 'array', items };
}

function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] };
}

function oneOf(...values: readonly string[]): Schema {
  return { type: 'string', enum: values };
}

function counts(...names: readonly string[]): Schema {
  return object(Object.fromEntries(names.map((name) => [name, count])));
}

const level = oneOf(...logLevels);

const wait = object(
  {
    count,
    sumMs: number,
    p50Ms: number,
    p90Ms: number,
    p99Ms: number,
    maxMs: number,
    buckets: list({ type: 'array', prefixItems: [number, count], items: false, minItems: 2 }),
  },
  ['buckets'],
);

const work = { begun: count, ended: count, failed: count, dropped: count, waitMs: number, runMs: number };

/** By name, for `components.schemas`. */
export const schemas: Readonly<Record<string, Schema>> = {
  Error: object({ error: object({ code: { type: 'string', pattern: '^SLUICE_[A-Z_]+$' }, message: text }) }),
  Loop: object({ activeMs: number, idleMs: number, utilization: { type: 'number', minimum: 0, maximum: 1 } }),
  Ring: object({ usedBytes: count, bytes: count }),
  Wait: wait,
  Tally: object({
    ended: count,
    lost: count,
    requestBytes: count,
    responseBytes: count,
    creditStalls: count,
    creditStalledMs: number,
    queueWait: ref('Wait'),
    claimWait: ref('Wait'),
    service: ref('Wait'),
  }),
  Exchanges: {
    type: 'object',
    description: 'How many have started, are open, and have ended in each way.',
    properties: { started: count, open: count, complete: count },
    required: ['started', 'open', 'complete'],
    additionalProperties: count,
  },
  Thread: object({
    name: text,
    version: count,
    threadId: orNull(count),
    state: oneOf('starting', 'ready', 'draining', 'dead'),
    waiting: count,
    running: count,
    longestRunningMs: orNull(number),
    creditStalled: count,
    isAsleep: flag,
    turnAgeMs: number,
    loop: ref('Loop'),
    requestRing: ref('Ring'),
    responseRing: ref('Ring'),
    heapBytes: number,
    liveHeapBytes: number,
    externalBytes: number,
    collections: count,
    collectingMs: number,
    total: ref('Tally'),
  }),
  Pool: object({
    name: text,
    version: count,
    stale: orNull(object({ since: text, why: text })),
    state: oneOf('starting', 'running', 'degraded', 'draining'),
    queued: count,
    maxQueued: count,
    minThreads: count,
    maxThreads: count,
    exchanges: ref('Exchanges'),
    threads: list(ref('Thread')),
    startedThreads: count,
    recycledThreads: count,
    diedThreads: count,
    hungThreads: count,
    unendedThreads: count,
    nextStartInMs: orNull(number),
    lastDeath: orNull(object({ thread: text, name: text, message: text, agoMs: number })),
    recalledExchanges: count,
    total: ref('Tally'),
  }),
  Actor: object({
    name: text,
    kind: oneOf('pool', 'keyed', 'single'),
    pool: text,
    instances: count,
    mailboxes: count,
    messages: count,
    bytes: count,
    deepestMailbox: count,
    accepted: count,
    refused: count,
    failedTells: count,
    restarts: count,
    lostTells: count,
    queueWait: ref('Wait'),
    total: object(work),
    threads: list(object({ thread: text, given: count, ...work })),
  }),
  DirectChannels: object({
    channels: count,
    max: count,
    conversations: count,
    made: count,
    begun: count,
    refused: count,
    calls: count,
  }),
  Topics: object({
    topics: count,
    published: count,
    sent: count,
    dropped: count,
    refused: count,
    threads: list(object({ thread: text, topics: count, waitingBytes: count, dropped: count })),
  }),
  Status: object({
    version: text,
    pid: count,
    state: oneOf('starting', 'running', 'leaving', 'draining', 'ended'),
    startedAt: text,
    uptimeMs: count,
    reactor: ref('Loop'),
    listeners: list(object({ address: text, tls: flag })),
    connections: counts('open', 'max', 'http1', 'http2', 'lingering'),
    pools: list(ref('Pool')),
    actors: list(ref('Actor')),
    directChannels: orNull(ref('DirectChannels')),
    topics: orNull(ref('Topics')),
    unrouted: ref('Exchanges'),
    deadlines: { type: 'object', additionalProperties: count },
  }),
  Exchange: object({
    id: count,
    requestId: text,
    pool: orNull(text),
    route: orNull(text),
    method: text,
    path: text,
    protocol: text,
    peer: text,
    state: oneOf('held', 'queued', 'given', 'running', 'left', 'answering'),
    ageMs: number,
    thread: orNull(text),
    status: orNull(count),
    request: object({
      whole: flag,
      receivedBytes: count,
      waitingBytes: count,
      unreadBytes: count,
      creditBytes: count,
      windowBytes: orNull({ type: 'integer' }),
    }),
    response: object({
      bytes: count,
      sentBytes: count,
      waitingBytes: count,
      windowBytes: orNull(count),
      peerWindowBytes: orNull({ type: 'integer' }),
      peerConnectionWindowBytes: orNull({ type: 'integer' }),
      stalledMs: number,
    }),
    waitsFor: object({
      who: oneOf('peer', 'thread', 'pool', 'route', 'application', 'actor', 'connection'),
      name: text,
      why: text,
    }),
  }),
  Configuration: object({
    file: text,
    values: list(
      object(
        {
          where: { type: 'string', description: 'A JSON path into the configuration file.' },
          value: { description: 'Values that may be secret are "(hidden)".' },
          source: {
            type: 'string',
            description: 'default, file, admin, createServer, or the flag or variable that it came from.',
          },
          line: { type: 'integer', minimum: 1, description: 'Where in the file.' },
        },
        ['line'],
      ),
    ),
  }),
  Event: object(
    {
      at: text,
      pool: text,
      thread: text,
      what: oneOf('started', 'died', 'overdue', 'back', 'recycled', 'not-recycled', 'degraded', 'recovered'),
      why: text,
    },
    ['thread', 'why'],
  ),
  Reload: object({
    changed: list(text),
    pools: list(
      object(
        {
          pool: text,
          change: oneOf('added', 'replaced', 'removed'),
          threads: count,
          failure: object({ code: text, message: text }),
        },
        ['failure'],
      ),
    ),
    certificates: flag,
    durationMs: count,
  }),
  Recycled: object({ pool: text, threads: list(text) }),
  Range: object({ min: { type: 'integer', minimum: 1 }, max: { type: 'integer', minimum: 1 } }),
  Resized: object({ pool: text, threads: ref('Range') }),
  Level: object({ level }),
  Drain: object({ pid: count, open: count, drainDelayMs: count, drainTimeoutMs: count }),
};
