/** The metrics of a server, from its status. docs/monitoring.md lists them. */
import type {
  ActorStatus,
  PoolStatus,
  ServerStatus,
  ThreadStatus,
  TopicsStatus,
  WaitStatus,
} from '../status/status-types.ts';
import type { MonitoringDetails, PoolDetails } from './details.ts';
import { Exposition, type HistogramValue } from './exposition.ts';
import type { RequestDurations } from './request-durations.ts';

/** Upper bounds of waits, in seconds. */
const WAIT_BOUNDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
const POOL_STATES = ['starting', 'running', 'degraded', 'draining'] as const;

/** Resources of the whole process. */
export interface ProcessUse {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

export function metricsText(
  status: ServerStatus,
  details: MonitoringDetails,
  durations: RequestDurations | null,
  use: ProcessUse,
): Promise<string> {
  const exposition = new Exposition();
  exposeServer(exposition, status, use);
  exposeFront(exposition, details);
  durations?.expose(exposition);
  if (durations !== null) exposeTransport(exposition, durations);
  exposePools(exposition, status.pools);
  exposePoolDetails(exposition, details.pools);
  exposeThreads(exposition, status.pools);
  exposeThreadDetails(exposition, details);
  exposeActors(exposition, status.actors);
  if (status.topics !== null) exposeTopics(exposition, status.topics);
  return exposition.text();
}

function exposeServer(
  out: Exposition,
  status: ServerStatus,
  { cpuSeconds, residentBytes }: ProcessUse,
): void {
  const { version, state, startedAt, reactor, connections, unrouted, deadlines } = status;
  out
    .metric('sluice_info', 'gauge', 'Version and state of the server; always 1.')
    .value(1, { version, state });
  out
    .metric('process_start_time_seconds', 'gauge', 'Start of the server, since the epoch.')
    .value(Date.parse(startedAt) / 1000);
  out
    .metric('process_cpu_seconds_total', 'counter', 'CPU time of all threads of the process.')
    .value(cpuSeconds);
  out
    .metric('process_resident_memory_bytes', 'gauge', 'Resident memory of the process.')
    .value(residentBytes);
  out
    .metric(
      'sluice_reactor_loop_seconds_total',
      'counter',
      'Event loop time of the thread that owns the sockets.',
    )
    .value(reactor.activeMs / 1000, { state: 'active' })
    .value(reactor.idleMs / 1000, { state: 'idle' });
  out
    .metric('sluice_reactor_loop_utilization', 'gauge', 'The active part of the last second, 0 to 1.')
    .value(reactor.utilization);
  out.metric(
    'sluice_connections',
    'gauge',
    'Open connections; lingering: ended by the server, not yet by the peer.',
  );
  for (const protocol of ['http1', 'http2', 'lingering'] as const)
    out.value(connections[protocol], { protocol });
  out.metric('sluice_connections_open', 'gauge', 'Connections over all listeners.').value(connections.open);
  out.metric('sluice_connections_max', 'gauge', 'limits.maxConnections.').value(connections.max);
  out
    .metric('sluice_unrouted_exchanges_total', 'counter', 'Requests that no route matched.')
    .value(unrouted.started);
  out.metric('sluice_deadlines_total', 'counter', 'How often each deadline has ended something.');
  for (const [deadline, count] of Object.entries(deadlines)) out.value(count, { deadline });
}

function exposePools(out: Exposition, pools: readonly PoolStatus[]): void {
  const each = (value: (pool: PoolStatus) => number): void => {
    for (const pool of pools) out.value(value(pool), { pool: pool.name });
  };
  out.metric('http_server_active_requests', 'gauge', 'Open exchanges.');
  each(({ exchanges }) => exchanges.open);
  out.metric('sluice_exchanges_started_total', 'counter', 'Exchanges that have begun.');
  each(({ exchanges }) => exchanges.started);
  out.metric('sluice_exchanges_ended_total', 'counter', 'Exchanges that have ended, by outcome.');
  for (const { name: pool, exchanges } of pools) {
    const { started: _, open: __, ...outcomes } = exchanges;
    for (const [outcome, count] of Object.entries(outcomes)) out.value(count, { pool, outcome });
  }
  out.metric('sluice_pool_state', 'gauge', '1 for the present state of the pool.');
  for (const { name: pool, state } of pools)
    for (const each of POOL_STATES) out.value(each === state ? 1 : 0, { pool, state: each });
  out.metric('sluice_pool_stale', 'gauge', '1 if the last reload failed for this pool.');
  each(({ stale }) => (stale === null ? 0 : 1));
  out.metric('sluice_queued_exchanges', 'gauge', 'Exchanges that wait for a thread.');
  each(({ queued }) => queued);
  out.metric('sluice_queued_exchanges_max', 'gauge', 'queue.maxExchanges.');
  each(({ maxQueued }) => maxQueued);
  out.metric(
    'sluice_recalled_exchanges_total',
    'counter',
    'Exchanges taken back from a thread that had not begun them.',
  );
  each(({ recalledExchanges }) => recalledExchanges);
  exposeSupervision(out, each);
  exposeWork(out, each, pools);
}

function exposeSupervision(out: Exposition, each: (value: (pool: PoolStatus) => number) => void): void {
  out.metric('sluice_threads_started_total', 'counter', 'Threads that were started.');
  each(({ startedThreads }) => startedThreads);
  out.metric('sluice_threads_unended', 'gauge', 'Threads that were ended but still run, in native code.');
  each(({ unendedThreads }) => unendedThreads);
}

function exposeWork(
  out: Exposition,
  each: (value: (pool: PoolStatus) => number) => void,
  pools: readonly PoolStatus[],
): void {
  out.metric('sluice_request_content_bytes_total', 'counter', 'Request content sent to threads.');
  each(({ total }) => total.requestBytes);
  out.metric('sluice_response_content_bytes_total', 'counter', 'Response content received from threads.');
  each(({ total }) => total.responseBytes);
  out.metric(
    'sluice_credit_stalls_total',
    'counter',
    'How often an exchange had something to send but no credit.',
  );
  each(({ total }) => total.creditStalls);
  out.metric('sluice_credit_stalled_seconds_total', 'counter', 'Total time of these stalls.');
  each(({ total }) => total.creditStalledMs / 1000);
  const waits = (name: string, help: string, wait: (pool: PoolStatus) => WaitStatus): void => {
    out.metric(name, 'histogram', help);
    for (const pool of pools) out.histogram(waitHistogram(wait(pool)), { pool: pool.name });
  };
  waits(
    'sluice_queue_wait_seconds',
    'From admission until a thread was given the exchange.',
    ({ total }) => total.queueWait,
  );
  waits('sluice_claim_wait_seconds', 'From then until the thread began it.', ({ total }) => total.claimWait);
  waits('sluice_service_seconds', 'From then to its end in the thread.', ({ total }) => total.service);
}

function exposeThreads(out: Exposition, pools: readonly PoolStatus[]): void {
  const each = (value: (thread: ThreadStatus) => number): void => {
    for (const pool of pools)
      for (const thread of pool.threads) out.value(value(thread), { pool: pool.name, thread: thread.name });
  };
  out.metric('sluice_thread_running_exchanges', 'gauge', 'Exchanges that the thread has begun.');
  each(({ running }) => running);
  out.metric(
    'sluice_thread_waiting_exchanges',
    'gauge',
    'Exchanges given to the thread that it has not begun.',
  );
  each(({ waiting }) => waiting);
  out.metric('sluice_thread_stalled_exchanges', 'gauge', 'Begun exchanges that wait for credit.');
  each(({ creditStalled }) => creditStalled);
  out.metric('sluice_thread_longest_running_seconds', 'gauge', 'Age of the oldest begun exchange; 0: none.');
  each(({ longestRunningMs }) => (longestRunningMs ?? 0) / 1000);
  out.metric(
    'sluice_thread_turn_age_seconds',
    'gauge',
    'Time since its event loop last turned; 0 while it sleeps.',
  );
  each(({ isAsleep, turnAgeMs }) => (isAsleep ? 0 : turnAgeMs / 1000));
  out.metric('sluice_thread_loop_utilization', 'gauge', 'The active part of the last second, 0 to 1.');
  each(({ loop }) => loop.utilization);
  out.metric('sluice_thread_heap_bytes', 'gauge', 'Heap in use, garbage included.');
  each(({ heapBytes }) => heapBytes);
  out.metric('sluice_thread_live_heap_bytes', 'gauge', 'Heap in use after the last major collection.');
  each(({ liveHeapBytes }) => liveHeapBytes);
  out.metric('sluice_thread_external_bytes', 'gauge', 'Memory held outside of the heap.');
  each(({ externalBytes }) => externalBytes);
  out.metric('sluice_thread_ring_used_bytes', 'gauge', 'Bytes written to a ring and not read yet.');
  for (const { name: pool, threads } of pools)
    for (const { name: thread, requestRing, responseRing } of threads) {
      out.value(requestRing.usedBytes, { pool, thread, ring: 'request' });
      out.value(responseRing.usedBytes, { pool, thread, ring: 'response' });
    }
  out.metric('sluice_thread_ring_bytes', 'gauge', 'Capacity of a ring.');
  for (const { name: pool, threads } of pools)
    for (const { name: thread, requestRing, responseRing } of threads) {
      out.value(requestRing.bytes, { pool, thread, ring: 'request' });
      out.value(responseRing.bytes, { pool, thread, ring: 'response' });
    }
}

function exposeFront(out: Exposition, { front }: MonitoringDetails): void {
  out.metric(
    'sluice_connections_refused_total',
    'counter',
    'Connections turned away before a request, by reason.',
  );
  for (const [reason, count] of Object.entries(front.refused)) out.value(count, { reason });
  out.metric(
    'sluice_requests_refused_total',
    'counter',
    'Requests refused for what the client has sent, by reason.',
  );
  for (const [reason, count] of Object.entries(front.requests)) out.value(count, { reason });
  out.metric(
    'sluice_abuse_total',
    'counter',
    'Connections ended for abuse, by the budget that was exceeded.',
  );
  for (const [budget, count] of Object.entries(front.abuse)) out.value(count, { budget });
}

function exposeTransport(out: Exposition, { transport }: RequestDurations): void {
  out.metric(
    'sluice_transport_seconds',
    'histogram',
    'From the last message of the thread until the connection had sent the response.',
  );
  for (const [pool, histogram] of transport) {
    const buckets = [...histogram].map(([mostUs, count]) => [mostUs / 1000, count] as const);
    out.histogram(bounded(buckets, histogram.count, histogram.sumUs / 1e6), { pool });
  }
}

function exposePoolDetails(out: Exposition, pools: readonly PoolDetails[]): void {
  const byCause = (causesOf: (details: PoolDetails) => Readonly<Record<string, number>>): void => {
    for (const details of pools)
      for (const [cause, count] of Object.entries(causesOf(details)))
        out.value(count, { pool: details.pool, cause });
  };
  out.metric('sluice_threads_died_total', 'counter', 'Threads that died, by cause.');
  byCause(({ died }) => died);
  out.metric('sluice_threads_recycled_total', 'counter', 'Healthy threads that were replaced, by cause.');
  byCause(({ recycled }) => recycled);
  out.metric('sluice_doorbells_total', 'counter', 'How often the reactor and the threads woke each other.');
  for (const { pool, costs } of pools) {
    out.value(costs.doorbellsTo, { pool, to: 'thread' });
    out.value(costs.doorbellsFrom, { pool, to: 'reactor' });
  }
  out.metric('sluice_gc_seconds_total', 'counter', 'Time of garbage collections in threads.');
  for (const { pool, costs } of pools) out.value(costs.collectingMs / 1000, { pool });
}

function exposeThreadDetails(out: Exposition, { threads }: MonitoringDetails): void {
  out.metric('sluice_thread_loop_delay_seconds', 'gauge', 'How late its last timer was, of one each second.');
  for (const { pool, thread, loopDelayMs } of threads) out.value(loopDelayMs / 1000, { pool, thread });
}

function exposeActors(out: Exposition, actors: readonly ActorStatus[]): void {
  const each = (value: (actor: ActorStatus) => number): void => {
    for (const actor of actors) out.value(value(actor), { actor: actor.name, pool: actor.pool });
  };
  out.metric('sluice_actor_messages', 'gauge', 'Messages accepted and not over, in all mailboxes.');
  each(({ messages }) => messages);
  out.metric('sluice_actor_mailboxes', 'gauge', 'Mailboxes with an instance or messages.');
  each(({ mailboxes }) => mailboxes);
  out.metric('sluice_actor_instances', 'gauge', 'Live instances.');
  each(({ instances }) => instances);
  out.metric('sluice_actor_accepted_total', 'counter', 'Calls that were accepted.');
  each(({ accepted }) => accepted);
  out.metric('sluice_actor_refused_total', 'counter', 'Calls that were refused.');
  each(({ refused }) => refused);
  out.metric(
    'sluice_actor_failed_total',
    'counter',
    'Calls that threw, or returned a value that cannot be sent.',
  );
  each(({ total }) => total.failed);
  out.metric(
    'sluice_actor_dropped_replies_total',
    'counter',
    'Replies of asks whose callers had given up or were gone.',
  );
  each(({ total }) => total.dropped);
  out.metric('sluice_actor_lost_tells_total', 'counter', 'Tells that were accepted and not completed.');
  each(({ lostTells }) => lostTells);
  out.metric('sluice_actor_run_seconds_total', 'counter', 'Total running time of methods.');
  each(({ total }) => total.runMs / 1000);
  out.metric('sluice_actor_queue_wait_seconds', 'histogram', 'Time in the mailbox.');
  for (const { name: actor, pool, queueWait } of actors)
    if (queueWait.buckets !== undefined) out.histogram(waitHistogram(queueWait), { actor, pool });
}

function exposeTopics(out: Exposition, topics: TopicsStatus): void {
  out.metric('sluice_topics', 'gauge', 'Topics with subscriptions.').value(topics.topics);
  out
    .metric(
      'sluice_topic_messages_published_total',
      'counter',
      'Messages published to at least one subscriber.',
    )
    .value(topics.published);
  out
    .metric('sluice_topic_messages_sent_total', 'counter', 'One for each message and thread.')
    .value(topics.sent);
  out
    .metric(
      'sluice_topic_messages_dropped_total',
      'counter',
      'Messages dropped because a thread did not read.',
    )
    .value(topics.dropped);
}

/** A bucket that crosses a bound counts above it, so every value counted below a bound was below it. */
function waitHistogram({ buckets = [], count, sumMs }: WaitStatus): HistogramValue {
  return bounded(buckets, count, sumMs / 1000);
}

/** @param buckets upper bound in milliseconds, and count */
function bounded(
  buckets: readonly (readonly [mostMs: number, times: number])[],
  count: number,
  sumSeconds: number,
): HistogramValue {
  let most = 0;
  let next = 0;
  const within = WAIT_BOUNDS.map((bound) => {
    for (; next < buckets.length; next++) {
      const [mostMs, times] = buckets[next] as (typeof buckets)[number];
      if (mostMs > bound * 1000) break;
      most += times;
    }
    return [bound, most] as const;
  });
  return { buckets: within, count, sumSeconds };
}
