/**
 * The configuration file's shape: the one source of its types, its defaults, its checks and its published JSON
 * Schema (`schema.json`, written by `generate-schema.ts`; a test holds the two in step).
 *
 * It checks single values only. Checks of several values (min above max, a route to a pool that does not exist)
 * are in `cross-checks.ts`.
 */

import * as v from 'valibot';
import { actorsSection } from './actor-schema.ts';
import { adminSection } from './admin-schema.ts';
import { controlSection } from './control-schema.ts';
import { downgrade } from './downgrade-schema.ts';
import { maxTimerMs } from './duration.ts';
import { flag, oneOf, requiredNumber, section, wholeNumber } from './fields.ts';
import { healthSection } from './health-schema.ts';
import { http2Section } from './http2-schema.ts';
import { limitsSection, minRequestBytesPerSecond } from './limits-schema.ts';
import { listenerSchema } from './listener-schema.ts';
import { logSection } from './log-schema.ts';
import { monitoringSection } from './monitoring-schema.ts';
import { profilingSection } from './profiling-schema.ts';
import { memorySection, recycle, warmUp } from './recycling-schema.ts';
import { requestIdSection } from './request-id-schema.ts';
import { staticSchema } from './static-schema.ts';
import { maxThreads } from './thread-range.ts';
import { env, execArgv, threads } from './threads-schema.ts';
import { topicsSection } from './topics-schema.ts';
import { tracingSection } from './tracing-schema.ts';

export const kinds = ['exchange', 'generator', 'handler', 'node', 'server', 'fetch'] as const;

const mebibyte = 1_048_576;
const bodyWindow = { from: 1_024, to: 1_024 * mebibyte, byDefault: 262_144 };
export const ringSizes = [
  65_536, 131_072, 262_144, 524_288, 1_048_576, 2_097_152, 4_194_304, 8_388_608, 16_777_216, 33_554_432,
  67_108_864,
] as const;
const heapMegabytes = { from: 1, to: 1_048_576, byDefault: undefined };

function timeout(description: string, byDefault: number, from = 1) {
  return wholeNumber(description, { from, to: maxTimerMs, byDefault });
}

function maxBodyBytes(description: string) {
  return wholeNumber(description, { from: 0, to: Number.MAX_SAFE_INTEGER, byDefault: undefined });
}

const restart = section(
  'How soon threads that die are replaced: at once, and with growing delays if many die. The pool never gives up by itself.',
  {
    intensity: wholeNumber('How many threads that died within the period are replaced at once.', {
      from: 0,
      to: 1_000_000,
      byDefault: 5,
    }),
    periodMs: timeout('The period, in milliseconds.', 10_000),
    delayMs: timeout(
      'The delay of the first thread beyond that. It doubles each time that too many die again or that one does not load; half of it is random. It ends when a thread has lived for a period.',
      100,
    ),
    maxDelayMs: timeout('The longest delay.', 30_000),
    giveUp: flag(
      'If more threads die than intensity, drain the server and end it with exit code 4, so that a supervisor can act.',
      false,
    ),
  },
);

export const poolSchema = v.pipe(
  v.strictObject(
    {
      application: v.optional(
        v.pipe(
          v.string('the path of a module'),
          v.minLength(1, 'the path of a module'),
          v.description(
            'The module whose default export is the application; a path relative to this file, or absolute. Default: none, if the pool has a module.',
          ),
        ),
      ),
      module: v.optional(
        v.pipe(
          v.string('the path of a module'),
          v.minLength(1, 'the path of a module'),
          v.description(
            "The module whose exports are the pool's actors; a path like that of application. Default: none, if the pool has an application.",
          ),
        ),
      ),
      kind: v.optional(
        v.pipe(
          v.picklist(kinds, kinds.map((kind) => JSON.stringify(kind)).join(', ')),
          v.description(
            'What kind of application the module exports. Default: recognised by its shape (see applications.md).',
          ),
        ),
      ),
      export: v.optional(
        v.pipe(
          v.string('the name of an export'),
          v.minLength(1, 'the name of an export'),
          v.description(
            'The export that is the application. With () at its end, as in createApp(), it names a function that each thread calls once and that returns the application or a promise of it. Default: the default export; without one, the only export among app, application, handler, listener and server that looks like an application.',
          ),
        ),
      ),
      port: wholeNumber(
        'If the module calls listen() on several servers: the port of the one that is the application. Sluice binds none of these ports. Default: the module has one server.',
        { from: 1, to: 65_535, byDefault: undefined },
      ),
      binds: v.optional(
        v.pipe(
          v.array(requiredNumber('a port', { from: 1, to: 65_535 }), 'an array of ports'),
          v.maxLength(16, 'at most 16 ports'),
          v.description(
            'Ports of other servers of the module that really listen, such as an exporter of metrics. They listen in one thread of the pool at a time, and in another one when it has ended.',
          ),
        ),
        [],
      ),
      downgrade,
      validate: flag(
        'Check application and server against the rules of the gateway interface (see sgi.md); for development.',
        false,
      ),
      optional: flag('Whether health.ready answers 200 although no thread of this pool is ready.', false),
      threads: threads(maxThreads),
      env,
      execArgv,
      growAfterMs: timeout(
        'A pool that has fewer threads than max starts one when an exchange has waited for this long.',
        10,
        0,
      ),
      shrinkBelowPercent: wholeNumber(
        'A pool with more than min threads can do without one if the others would then be busy for at most this share of the time.',
        { from: 0, to: 100, byDefault: 60 },
      ),
      idleTimeoutMs: timeout(
        'A thread above min ends when the pool could do without it for this long.',
        30_000,
        0,
      ),
      resourceLimits: section(
        "Limits of each thread, by Node's names (worker_threads resourceLimits). A thread that exceeds one ends and is replaced, or the process ends: see operations.md.",
        {
          maxOldGenerationSizeMb: wholeNumber("Heap in megabytes. Default: Node's.", heapMegabytes),
          maxYoungGenerationSizeMb: wholeNumber(
            "Heap for recent objects in megabytes. Default: Node's.",
            heapMegabytes,
          ),
          codeRangeSizeMb: wholeNumber(
            "Memory for generated code in megabytes. Default: Node's.",
            heapMegabytes,
          ),
          stackSizeMb: wholeNumber("Stack in megabytes. Default: Node's.", { ...heapMegabytes, to: 1_024 }),
        },
      ),
      exchangesPerThread: wholeNumber(
        'The most exchanges that one thread has at a time, begun or not. More wait in the queue.',
        { from: 1, to: 65_536, byDefault: 64 },
      ),
      queue: section(
        'Exchanges that wait for a thread. Beyond either limit they are answered 503 with Retry-After.',
        {
          maxExchanges: wholeNumber(
            'How many may wait. 0: an exchange that no thread can take at once is refused.',
            {
              from: 0,
              to: 1_000_000,
              byDefault: 1_024,
            },
          ),
          maxWaitMs: timeout('How long an exchange may wait.', 10_000),
        },
      ),
      retryAfterSeconds: wholeNumber('The Retry-After that a 503 carries.', {
        from: 0,
        to: 86_400,
        byDefault: 1,
      }),
      requestWindowBytes: wholeNumber(
        'Request body bytes that go to the application before it reads them, for each exchange.',
        bodyWindow,
      ),
      responseWindowBytes: wholeNumber(
        'Response body bytes that the reactor takes from the application before the peer has taken them, for each exchange.',
        bodyWindow,
      ),
      maxResponseWindowBytes: wholeNumber(
        'How far responseWindowBytes grows for an exchange whose peer keeps reading.',
        { ...bodyWindow, byDefault: 1_572_864 },
      ),
      maxBodyBytes: maxBodyBytes(
        'The most bytes of a request body; a larger one is answered 413. Default: unlimited, because no body is held whole.',
      ),
      writeBacklogBytes: wholeNumber(
        'Response body bytes that an application may write without awaiting, for each exchange. A further write fails.',
        { from: 65_536, to: 2 ** 31 - 1, byDefault: 16_777_216 },
      ),
      ringBytes: oneOf(
        "Size of each of a thread's two rings in shared memory.",
        ringSizes,
        2_097_152,
        'a power of two from 65536 to 67108864',
      ),
      actorCallsPerThread: wholeNumber(
        'Calls of actors that a thread has at a time, including those that have begun. More wait in their mailboxes.',
        { from: 1, to: 65_536, byDefault: 1_024 },
      ),
      actorBacklogBytes: wholeNumber(
        'Bytes of replies and stream items of actors that wait for a thread that does not read. More are dropped, and their calls fail.',
        { from: 0, to: 1_073_741_824, byDefault: 16_777_216 },
      ),
      recallAfterMs: timeout(
        'Exchanges that a computing thread has not begun after this time go to another thread.',
        5,
      ),
      restart,
      recycle,
      warmUp,
      niceIncrement: wholeNumber(
        'Added to the niceness of the threads, so that under load the reactor, and pools with less, run first. Linux and macOS.',
        { from: 0, to: 19, byDefault: 5 },
      ),
      startTimeoutMs: timeout('The time for a thread to load the application.', 10_000),
      computeTimeoutMs: timeout(
        'How long an exchange, or a method of an actor, may keep its thread from the event loop, by computing or by a call that blocks. Then the exchange is answered 504, and the thread is ended and replaced. Time in which it awaits does not count. 0: for ever.',
        60_000,
        0,
      ),
      computeGraceMs: timeout(
        "How long the thread has after that 504 to return to its event loop before it is ended. The application's signal aborts when this time begins.",
        1_000,
        0,
      ),
      minUptimeMs: timeout(
        'A thread that dies sooner than this after it has loaded counts as one that did not load. At the start the server then ends, unless the thread had begun an exchange; at a reload the new thread does not replace the old one.',
        1_000,
        0,
      ),
    },
    'an object with an application, a module of actors, or both',
  ),
  v.description('Threads that run one application.'),
);

export const poolNamePattern = '^[A-Za-z0-9][A-Za-z0-9_-]*$';
const poolName = 'a name of letters, digits, "-" and "_"';
const path = 'a path such as "/hello" or, with all below it, "/render/*"';
const affinity = 'the name of a field, or "cookie:" and the name of a cookie';
const host = 'a host name without a port, "*.example.org" for the hosts below it, or "*"';

const route = v.pipe(
  v.strictObject(
    {
      host: v.optional(
        v.pipe(
          v.string(host),
          v.regex(/^(?:\*|(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])$/, host),
          v.description(
            'The host asked for, without its port: a name, "*.example.org" for every host below it (not itself), or "*" for all.',
          ),
        ),
        '*',
      ),
      path: v.pipe(
        v.string(path),
        v.regex(/^\/(?:[^\s?#*]*|(?:[^\s?#*]*\/)?\*)$/, path),
        v.description('An exact path; or "/render/*" for /render and all below it; or "/*" for all.'),
      ),
      pool: v.optional(
        v.pipe(
          v.string('the name of a pool'),
          v.description('The pool that answers. Default: none, with static.'),
        ),
      ),
      static: v.optional(staticSchema),
      maxBodyBytes: maxBodyBytes("Bytes of a request body; more is answered 413. Default: the pool's."),
      minRequestBytesPerSecond,
      computeTimeoutMs: wholeNumber(
        "How long an exchange may keep its thread from the event loop, like the pool's computeTimeoutMs. 0: for ever. Default: the pool's.",
        { from: 0, to: maxTimerMs, byDefault: undefined },
      ),
      maxConcurrent: wholeNumber(
        'Exchanges of this route that the pool may have at a time, begun or not. More wait in a queue of the route, where they delay no other route. Default: any number.',
        { from: 1, to: 1_000_000, byDefault: undefined },
      ),
      maxHeld: wholeNumber(
        "How many may wait in that queue, each for at most the pool's queue.maxWaitMs. Beyond either limit they are answered 503 with Retry-After. Default: the pool's queue.maxExchanges.",
        { from: 0, to: 1_000_000, byDefault: undefined },
      ),
      affinity: v.optional(
        v.pipe(
          v.string(affinity),
          v.regex(/^(?:cookie:)?[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, affinity),
          v.description(
            'A request field, or "cookie:" and the name of a cookie: requests with the same value go to the same thread, unless it has more than its share of the work. Default: any thread.',
          ),
        ),
      ),
      websocket: flag(
        'Whether WebSocket handshakes reach the application, by Upgrade (RFC 6455) and by extended CONNECT (RFC 8441). If not, an Upgrade is ignored and an extended CONNECT is answered 501.',
        false,
      ),
      connect: flag(
        'Whether CONNECT reaches the application, which can then tunnel bytes anywhere; otherwise it is answered 501. CONNECT has no path: its host selects a route whose path is "/*".',
        false,
      ),
    },
    'an object with a path and a pool',
  ),
  v.description('Requests for a host and a path go to a pool, or are answered with files.'),
);

export const configSchema = v.pipe(
  v.strictObject(
    {
      $schema: v.optional(
        v.pipe(v.string('a string'), v.description('For editors; not read by the server.')),
      ),
      listeners: v.optional(
        v.pipe(
          v.array(listenerSchema, 'an array of listeners'),
          v.minLength(1, 'at least one listener'),
          v.description('The addresses to listen on.'),
        ),
        [{ address: '127.0.0.1:8080' }],
      ),
      pools: v.optional(
        v.pipe(
          v.record(
            v.pipe(v.string(poolName), v.regex(new RegExp(poolNamePattern), poolName)),
            poolSchema,
            'an object of pools by name',
          ),
          v.description('The pools by name.'),
        ),
        {},
      ),
      actors: actorsSection,
      topics: topicsSection,
      routes: v.pipe(
        v.array(route, 'an array of routes'),
        v.minLength(1, 'at least one route'),
        v.description(
          'Which pool answers which requests. The most specific route wins, whatever the order: an exact host before the longest "*." pattern before "*"; for one host, an exact path before the longest pattern. A request that no route matches is answered 404.',
        ),
      ),
      limits: limitsSection,
      http2: http2Section,
      http1: section('HTTP/1.1 (RFC 9112).', {
        enabled: flag('Whether the server accepts HTTP/1.1. If not, it closes such connections.', true),
        maxHeaderBytes: wholeNumber(
          'Bytes of a request head: the target, and the header lines with colon, space and line end; more is answered 431.',
          { from: 1_024, to: 1_048_576, byDefault: 16_384 },
        ),
        maxFieldLines: wholeNumber('Header lines of a request; more is answered 431.', {
          from: 1,
          to: 65_536,
          byDefault: 128,
        }),
        maxRequestsPerConnection: wholeNumber(
          'After this many requests the connection is closed; the last response announces it.',
          { from: 1, to: 1_000_000_000, byDefault: 100_000 },
        ),
        maxPipelinedRequests: wholeNumber(
          'Requests that a connection may send before their responses. If a client sends more at once, these are answered and the connection is closed.',
          { from: 1, to: 65_536, byDefault: 128 },
        ),
        maxParallelRequests: wholeNumber(
          'Pipelined requests of a connection that run at the same time, if their methods are safe; others run one after the other.',
          { from: 1, to: 65_536, byDefault: 32 },
        ),
        smallChunks: section(
          'Chunks that a connection may send while they have less than 4 bytes of content on average. Beyond that the request is answered 400.',
          {
            burst: wholeNumber('How many may come at once.', {
              from: 1,
              to: 1_000_000_000,
              byDefault: 262_144,
            }),
            perSecond: wholeNumber('How many more each second.', {
              from: 0,
              to: 1_000_000_000,
              byDefault: 16_384,
            }),
          },
        ),
        maxDiscardedBytes: wholeNumber(
          'If the application does not read a request body and at most this much is left, the server reads and discards the rest, so that the connection can be used again. If more is left, the response says `Connection: close`.',
          { from: 0, to: 1_073_741_824, byDefault: 262_144 },
        ),
        discardTimeoutMs: timeout('How long a body may be discarded; then the connection is closed.', 5_000),
        keepAliveTimeoutMs: wholeNumber(
          'How long after its last response an idle connection is closed. Default: the longest `keepAliveTimeout` that an application has set on its `http.Server`, otherwise 5 s.',
          { from: 1, to: maxTimerMs, byDefault: undefined },
        ),
        halfCloseTimeoutMs: timeout(
          'A client that sends its FIN behind a complete request may still wait for the response, or may have gone away. If the response has not begun after this long, the exchange is cut off. 0: at once.',
          250,
          0,
        ),
        upgradeH2c: flag(
          'Whether a request without a body may change a cleartext connection to HTTP/2 by `Upgrade: h2c`, as curl --http2 asks.',
          true,
        ),
      }),
      health: healthSection,
      reload: section('Reloads by SIGHUP, sluice reload or server.reload() (see reload.md).', {
        drainTimeoutMs: timeout(
          'How long exchanges that the replaced threads have begun may take to finish; then they are reset.',
          30_000,
          0,
        ),
      }),
      memory: memorySection,
      control: controlSection,
      monitoring: monitoringSection,
      admin: adminSection,
      requestId: requestIdSection,
      tracing: tracingSection,
      profiling: profilingSection,
      drainTimeoutMs: timeout(
        'How long open exchanges may take to finish after SIGTERM or SIGINT; then they are reset.',
        30_000,
        0,
      ),
      drainDelayMs: timeout(
        'How long the drain waits after the first SIGTERM or SIGINT. Meanwhile health.ready answers 503 and everything else continues, so that load balancers stop sending requests.',
        0,
        0,
      ),
      log: logSection,
    },
    'an object',
  ),
  v.title('Sluice configuration'),
  v.description('What Sluice listens on, which applications it runs and how requests reach them.'),
);

/** A configuration file's content, as people write it. */
export type ConfigInput = v.InferInput<typeof configSchema>;
/** The same with every default filled in. */
export type ConfigOutput = v.InferOutput<typeof configSchema>;
