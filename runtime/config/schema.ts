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
  'When threads that have died are replaced: at once, and later the more of them die. The pool never gives up by itself.',
  {
    intensity: wholeNumber('Deaths within the period that are made good at once.', {
      from: 0,
      to: 1_000_000,
      byDefault: 5,
    }),
    periodMs: timeout('The period, in milliseconds.', 10_000),
    delayMs: timeout(
      'How long the first thread beyond that waits. The wait doubles each time that too many die again, or one does not load; half of it is random. A thread that lives for a period ends it.',
      100,
    ),
    maxDelayMs: timeout('The longest wait.', 30_000),
    giveUp: flag(
      'End the server with exit code 4, after a drain, when more die than intensity allows: for those whose supervisor is to act.',
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
            'The module whose default export is the application; a path relative to this file, or absolute. Default: none, where the pool has actors.',
          ),
        ),
      ),
      module: v.optional(
        v.pipe(
          v.string('the path of a module'),
          v.minLength(1, 'the path of a module'),
          v.description(
            "The module whose exports are the pool's actors; a path as application. Default: none, where the pool has an application.",
          ),
        ),
      ),
      kind: v.optional(
        v.pipe(
          v.picklist(kinds, kinds.map((kind) => JSON.stringify(kind)).join(', ')),
          v.description('What the module exports. Default: seen by its shape (see applications.md).'),
        ),
      ),
      export: v.optional(
        v.pipe(
          v.string('the name of an export'),
          v.minLength(1, 'the name of an export'),
          v.description(
            'The export that is the application; with () behind it, as in createApp(), a function that each thread calls once and that gives the application or a promise of it. Default: the default export, else the only one among app, application, handler, listener and server that looks like an application.',
          ),
        ),
      ),
      port: wholeNumber(
        'Of a module that tells several servers to listen, the port of the one that is the application; Sluice binds none of them. Default: there is one.',
        { from: 1, to: 65_535, byDefault: undefined },
      ),
      binds: v.optional(
        v.pipe(
          v.array(requiredNumber('a port', { from: 1, to: 65_535 }), 'an array of ports'),
          v.maxLength(16, 'at most 16 ports'),
          v.description(
            'Ports of other servers of the module that really listen, such as an exporter of metrics: in one thread of the pool at a time, and in another when that one has ended.',
          ),
        ),
        [],
      ),
      downgrade,
      validate: flag(
        'Hold application and server against the rules of the gateway interface (see sgi.md), for development.',
        false,
      ),
      optional: flag('Whether health.ready answers 200 without a thread of this pool that answers.', false),
      threads: threads(maxThreads),
      env,
      execArgv,
      growAfterMs: timeout(
        'A pool that has fewer threads than max starts one when an exchange has waited for this long.',
        10,
        0,
      ),
      shrinkBelowPercent: wholeNumber(
        'A pool that has more threads than min can do without one as long as the others would be busy for no more than this part of the time.',
        { from: 0, to: 100, byDefault: 60 },
      ),
      idleTimeoutMs: timeout(
        'A thread above min ends when the pool could have done without it for this long.',
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
        'Exchanges that wait for a thread; beyond either bound the answer is 503 with Retry-After.',
        {
          maxExchanges: wholeNumber(
            'How many may wait; 0 refuses every exchange that no thread can take at once.',
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
        'Request body bytes that may cross to the application ahead of its reading, for each exchange.',
        bodyWindow,
      ),
      responseWindowBytes: wholeNumber(
        'Response body bytes that may cross from the application ahead of the peer, for each exchange.',
        bodyWindow,
      ),
      maxResponseWindowBytes: wholeNumber(
        'The limit to which responseWindowBytes grows for an exchange whose peer keeps reading.',
        { ...bodyWindow, byDefault: 1_572_864 },
      ),
      maxBodyBytes: maxBodyBytes(
        'The most bytes of a request body; a larger one is answered 413. Default: unlimited, because no body is held whole.',
      ),
      writeBacklogBytes: wholeNumber(
        'Response body bytes that an application may hand over without waiting, for each exchange; more is an error to it.',
        { from: 65_536, to: 2 ** 31 - 1, byDefault: 16_777_216 },
      ),
      ringBytes: oneOf(
        'Size of the shared-memory ring to each thread, and of the one from it.',
        ringSizes,
        2_097_152,
        'a power of two from 65536 to 67108864',
      ),
      actorCallsPerThread: wholeNumber(
        'Calls of actors that a thread is given at a time, begun ones included; more wait in their mailboxes.',
        { from: 1, to: 65_536, byDefault: 1_024 },
      ),
      actorBacklogBytes: wholeNumber(
        'Bytes of replies of actors, and of items of streams, that wait beside its ring for a thread that does not read. More are dropped, and their calls told so.',
        { from: 0, to: 1_073_741_824, byDefault: 16_777_216 },
      ),
      recallAfterMs: timeout(
        'How far ahead a thread is given work. Exchanges that a computing thread has not begun after this time go to another thread.',
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
        'How long a thread may stay away from its event loop, in a computation or in a call that waits; then the exchange that runs is answered 504, and the thread ended and replaced. What awaits does not count. 0: for ever.',
        60_000,
        0,
      ),
      computeGraceMs: timeout(
        'From that answer, which the application hears as an abort signal, to the end of the thread, unless it comes back.',
        1_000,
        0,
      ),
      minUptimeMs: timeout(
        'A thread that dies sooner than this after it was loaded counts for one that did not load: at the start, where it had begun nothing, the server ends; one that was to replace another does not.',
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
          v.description('The pool that answers. Default: none, where files answer.'),
        ),
      ),
      static: v.optional(staticSchema),
      maxBodyBytes: maxBodyBytes("Bytes of a request body; more is answered 413. Default: the pool's."),
      minRequestBytesPerSecond,
      computeTimeoutMs: wholeNumber(
        "How long an exchange may keep a thread from its event loop, as the pool's computeTimeoutMs. 0: for ever. Default: the pool's.",
        { from: 0, to: maxTimerMs, byDefault: undefined },
      ),
      maxConcurrent: wholeNumber(
        'Exchanges of this route that may be with its pool at a time, begun or not. More wait in a queue of the route, where they are in the way of no other. Default: any number.',
        { from: 1, to: 1_000_000, byDefault: undefined },
      ),
      maxHeld: wholeNumber(
        "How many may wait there, each as long as the pool's queue lets it; beyond either bound the answer is 503 with Retry-After. Default: the pool's queue.maxExchanges.",
        { from: 0, to: 1_000_000, byDefault: undefined },
      ),
      affinity: v.optional(
        v.pipe(
          v.string(affinity),
          v.regex(/^(?:cookie:)?[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, affinity),
          v.description(
            'A request field, or "cookie:" and the name of a cookie: requests with the same value go to the same thread as long as that has no more than its share to do. Default: any thread.',
          ),
        ),
      ),
      websocket: flag(
        'Whether WebSocket handshakes reach the application, by Upgrade (RFC 6455) and by extended CONNECT (RFC 8441). If not, an Upgrade is ignored and the other is answered 501.',
        false,
      ),
      connect: flag(
        'Whether CONNECT reaches the application, which then tunnels bytes to whom it likes; it is answered 501 otherwise. CONNECT has no path: it goes by the host, to a route whose path is "/*".',
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
          'Which pool answers what. The most specific route wins wherever it stands: an exact host before the longest "*." pattern before "*"; for one host, an exact path before the longest pattern. A request that no route matches is answered 404.',
        ),
      ),
      limits: limitsSection,
      http2: http2Section,
      http1: section('HTTP/1.1 (RFC 9112).', {
        enabled: flag('Whether HTTP/1.1 is spoken at all; a connection that does is closed otherwise.', true),
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
          'The response to the last of so many requests says that the connection is closed.',
          { from: 1, to: 1_000_000_000, byDefault: 100_000 },
        ),
        maxPipelinedRequests: wholeNumber(
          'Requests taken from a connection ahead of their answers. A client that sends more of them at once has these answered and the connection closed.',
          { from: 1, to: 65_536, byDefault: 128 },
        ),
        maxParallelRequests: wholeNumber(
          'Pipelined requests of a connection that run at the same time, if their methods are safe; others run one after the other.',
          { from: 1, to: 65_536, byDefault: 32 },
        ),
        smallChunks: section(
          'Chunks that a connection may send while they have less than 4 bytes of content on average; then the request is answered 400.',
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
          'A response to a request that nobody reads says `Connection: close` when more than this is left of its body; else the rest is read past, so that the connection can be used again.',
          { from: 0, to: 1_073_741_824, byDefault: 262_144 },
        ),
        discardTimeoutMs: timeout('How long a body may be read past; then the connection is closed.', 5_000),
        keepAliveTimeoutMs: wholeNumber(
          'A connection is closed this long after its last response. Default: the longest `keepAliveTimeout` that an application has given its `http.Server`, else 5 s.',
          { from: 1, to: maxTimerMs, byDefault: undefined },
        ),
        upgradeH2c: flag(
          'Whether a request without a body may change a cleartext connection to HTTP/2 by `Upgrade: h2c`, as curl --http2 asks.',
          true,
        ),
      }),
      health: healthSection,
      reload: section('Reloads: by SIGHUP, by sluice reload, by server.reload() (see reload.md).', {
        drainTimeoutMs: timeout(
          'What threads and pools of before have begun may take this long after a reload; then it is reset.',
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
        'From the first SIGTERM or SIGINT until that begins: health.ready answers 503 and everything else continues, so that load balancers stop sending requests.',
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
