/** The admin endpoints as data. The OpenAPI document is made from it, and tests hold the handlers to it. */
import { BYDEFAULT_LINES, MOST_LINES, NDJSON } from './logs.ts';
import { list, object, ref, type Schema } from './schemas.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly description: string;
  readonly schema: Schema;
}

export interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  /** Unique, for clients that are generated from the document. */
  readonly id: string;
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  readonly body?: Schema;
  readonly status: number;
  readonly answer: Schema;
  /** Media type of the answer, if it is not JSON. */
  readonly type?: string;
  /** Refusals specific to this operation, by status. */
  readonly refusals?: Readonly<Record<number, string>>;
  /** Whether it changes something. */
  readonly acts?: true;
}

const pool: Parameter = {
  name: 'pool',
  in: 'path',
  description: 'The name of a pool.',
  schema: { type: 'string' },
};
const thread: Parameter = {
  name: 'thread',
  in: 'path',
  description: 'The name of a thread.',
  schema: { type: 'string' },
};
const query = (name: string, description: string, schema: Schema): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
});

const unknownPool = 'There is no such pool; the message names those that there are.';
const unknownThread = 'There is no such thread; the message names those that there are.';
const stops = 'The server stops.';

export const MOST_EXCHANGES = 1_000;
export const BYDEFAULT_EXCHANGES = 100;

export const operations: readonly Operation[] = [
  {
    method: 'GET',
    path: '/status',
    id: 'status',
    summary: 'What the server runs and has done since it started.',
    status: 200,
    answer: ref('Status'),
  },
  {
    method: 'GET',
    path: '/config',
    id: 'config',
    summary: 'The configuration in force, and where each value came from.',
    status: 200,
    answer: ref('Configuration'),
  },
  {
    method: 'GET',
    path: '/pools',
    id: 'pools',
    summary: 'The pools.',
    status: 200,
    answer: object({ pools: list(ref('Pool')) }),
  },
  {
    method: 'GET',
    path: '/pools/{pool}',
    id: 'pool',
    summary: 'One pool.',
    parameters: [pool],
    status: 200,
    answer: ref('Pool'),
    refusals: { 404: unknownPool },
  },
  {
    method: 'POST',
    path: '/pools/{pool}/resize',
    id: 'resize',
    summary:
      'Changes how many threads a pool has, until the next reload. Threads beyond max finish what they have.',
    parameters: [pool],
    body: ref('Range'),
    status: 200,
    answer: ref('Resized'),
    refusals: { 400: 'The range is none.', 404: unknownPool, 503: stops },
    acts: true,
  },
  {
    method: 'POST',
    path: '/pools/{pool}/recycle',
    id: 'recyclePool',
    summary:
      'Replaces every thread of a pool, one after the other: another is started first. Answers when the last old one has ended.',
    parameters: [pool],
    status: 200,
    answer: ref('Recycled'),
    refusals: {
      404: unknownPool,
      409: 'It is being done.',
      422: 'A replacement did not load: the running version stays.',
      503: stops,
    },
    acts: true,
  },
  {
    method: 'GET',
    path: '/threads',
    id: 'threads',
    summary: 'The threads of all pools.',
    status: 200,
    answer: object({ threads: list(ref('Thread')) }),
  },
  {
    method: 'GET',
    path: '/threads/{thread}',
    id: 'thread',
    summary: 'One thread.',
    parameters: [thread],
    status: 200,
    answer: ref('Thread'),
    refusals: { 404: unknownThread },
  },
  {
    method: 'POST',
    path: '/threads/{thread}/recycle',
    id: 'recycleThread',
    summary: 'Replaces a thread: another is started first. Answers when the old one has ended.',
    parameters: [thread],
    status: 200,
    answer: ref('Recycled'),
    refusals: {
      404: unknownThread,
      409: 'The thread is starting or ending, or its pool is being recycled.',
      422: 'The replacement did not load: the old thread continues.',
      503: stops,
    },
    acts: true,
  },
  {
    method: 'GET',
    path: '/exchanges',
    id: 'exchanges',
    summary: 'Exchanges in flight, the oldest first: where their bytes are, and whom each waits for.',
    parameters: [
      query('pool', 'Only those of this pool.', { type: 'string' }),
      query('thread', 'Only those of this thread.', { type: 'string' }),
      query('olderThanMs', 'Only those of at least this age.', { type: 'integer', minimum: 0, default: 0 }),
      query('limit', 'The largest number of exchanges to return.', {
        type: 'integer',
        minimum: 1,
        maximum: MOST_EXCHANGES,
        default: BYDEFAULT_EXCHANGES,
      }),
    ],
    status: 200,
    answer: object({
      total: { type: 'integer', minimum: 0 },
      isCut: { type: 'boolean', description: 'There are so many that not all were looked at.' },
      exchanges: list(ref('Exchange')),
    }),
    refusals: { 400: 'A query parameter is wrong.', 404: 'There is no such pool or thread.' },
  },
  {
    method: 'GET',
    path: '/actors',
    id: 'actors',
    summary: 'Actors, the direct channels to them, and topics, where there are any.',
    status: 200,
    answer: object({
      actors: list(ref('Actor')),
      directChannels: { anyOf: [ref('DirectChannels'), { type: 'null' }] },
      topics: { anyOf: [ref('Topics'), { type: 'null' }] },
    }),
  },
  {
    method: 'GET',
    path: '/events',
    id: 'events',
    summary: 'What has happened to threads and pools lately, and why; the newest last.',
    status: 200,
    answer: object({ events: list(ref('Event')) }),
  },
  {
    method: 'POST',
    path: '/reload',
    id: 'reload',
    summary:
      'Loads the configuration and the applications as they are on the disk now. Answers when that is done.',
    status: 200,
    answer: ref('Reload'),
    refusals: {
      422: 'The configuration or an application is invalid; the running version continues.',
      503: stops,
    },
    acts: true,
  },
  {
    method: 'POST',
    path: '/drain',
    id: 'drain',
    summary: 'Refuses new requests, lets open ones finish, and ends the server. Answers at once.',
    status: 202,
    answer: ref('Drain'),
    acts: true,
  },
  {
    method: 'GET',
    path: '/log-level',
    id: 'logLevel',
    summary: 'The least severe level that is logged.',
    status: 200,
    answer: ref('Level'),
  },
  {
    method: 'PUT',
    path: '/log-level',
    id: 'setLogLevel',
    summary: 'Changes it, until the next reload.',
    body: ref('Level'),
    status: 200,
    answer: ref('Level'),
    refusals: { 400: 'There is no such level.' },
    acts: true,
  },
  {
    method: 'GET',
    path: '/logs',
    id: 'logs',
    summary: 'The newest log lines, one JSON object each, and optionally new lines as they come.',
    parameters: [
      query('lines', 'How many of the newest.', {
        type: 'integer',
        minimum: 0,
        maximum: MOST_LINES,
        default: BYDEFAULT_LINES,
      }),
      query('follow', 'Whether to continue with new lines.', { type: 'boolean', default: false }),
    ],
    status: 200,
    type: NDJSON,
    answer: { type: 'string' },
    refusals: { 400: 'A query parameter is wrong.' },
  },
  {
    method: 'POST',
    path: '/stop',
    id: 'stop',
    summary: 'The same as a drain. Answers at once; the socket is removed when the server has ended.',
    status: 202,
    answer: object({ pid: { type: 'integer', minimum: 1 } }),
    acts: true,
  },
  {
    method: 'POST',
    path: '/profiles',
    id: 'profile',
    summary: 'Begins a profile. The first client of a Unix domain socket in the same folder receives it.',
    body: object(
      {
        kind: { type: 'string', enum: ['cpu', 'heap', 'heap-snapshot'] },
        durationMs: { type: 'integer', minimum: 1 },
        pool: { type: 'string' },
        thread: { type: 'string' },
      },
      ['pool', 'thread'],
    ),
    status: 201,
    answer: object({ socket: { type: 'string' } }),
    acts: true,
  },
  {
    method: 'POST',
    path: '/dashboard-links',
    id: 'dashboardLink',
    summary: 'A link that lets a browser into the dashboard, once and soon.',
    status: 201,
    answer: object({ url: { type: 'string' } }),
    refusals: { 404: 'The configuration has no admin section.' },
    acts: true,
  },
  {
    method: 'GET',
    path: '/openapi.json',
    id: 'openapi',
    summary: 'This document.',
    status: 200,
    answer: { type: 'object' },
  },
];
