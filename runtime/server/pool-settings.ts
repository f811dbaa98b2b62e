/** Translates the configuration of a pool into the options of `Pool`. */
import { pathToFileURL } from 'node:url';
import type { ActorDirectory } from '../actors/directory.ts';
import { companionOf } from '../actors/from-config.ts';
import type { Config, PoolConfig } from '../config/config.ts';
import type { PoolOptions } from '../pools/pool-options.ts';
import type { Prints } from '../pools/prints.ts';

/**
 * @param flags the environment and Node's flags of the threads
 * @param onLoaded takes the files that a thread has loaded; null: files are not watched
 */
export function poolOptions(
  pool: PoolConfig,
  config: Config,
  flags: PoolOptions['flags'],
  prints: Prints | undefined,
  actors: ActorDirectory | null,
  onLoaded: PoolOptions['onLoaded'] | null,
): PoolOptions {
  return {
    name: pool.name,
    minThreads: pool.threads.min,
    maxThreads: pool.threads.max,
    growAfterMs: pool.growAfterMs,
    shrinkBelow: pool.shrinkBelowPercent / 100,
    idleTimeoutMs: pool.idleTimeoutMs,
    slotsPerThread: pool.exchangesPerThread,
    ringBytes: pool.ringBytes,
    maxQueuedJobs: pool.queue.maxExchanges,
    maxWaitMs: pool.queue.maxWaitMs,
    recallAfterMs: pool.recallAfterMs,
    restart: pool.restart,
    recycle: pool.recycle,
    minUptimeMs: pool.minUptimeMs,
    computeTimeoutMs: pool.computeTimeoutMs,
    computeGraceMs: pool.computeGraceMs,
    retireTimeoutMs: config.reload.drainTimeoutMs,
    startTimeoutMs: pool.startTimeoutMs,
    resourceLimits: pool.resourceLimits,
    niceIncrement: pool.niceIncrement,
    host: {
      application: pathToFileURL(pool.application).href,
      ...(pool.hasOnlyActors && { hasOnlyActors: true }),
      ...(pool.applicationOptions && { applicationOptions: pool.applicationOptions }),
      pool: pool.name,
      ...(onLoaded && { watch: true }),
      requestWindowBytes: pool.requestWindowBytes,
      // A quarter of the smaller window: with half of the window in an update on its way to the peer, a quarter stays open.
      creditEveryBytes: Math.min(pool.requestWindowBytes, config.http2.streamWindowBytes) >> 2,
      responseWindowBytes: pool.responseWindowBytes,
      writeBacklogBytes: pool.writeBacklogBytes,
      downgrade: pool.downgrade,
      validate: pool.validate,
      stopTimeoutMs: config.drainTimeoutMs,
      ...(config.requestId !== null && { requestIdField: config.requestId.field }),
      // Sluice's own applications (static files) have no tracer.
      ...(config.tracing?.spans === true &&
        !pool.hasOnlyActors &&
        !pool.applicationOptions && { tracing: { maxUnsent: config.tracing.maxUnsent } }),
      maxErrorChars: config.log.maxErrorChars,
      ...(prints?.labels && { prints: prints.labels }),
      maxWaitingPrintBytes: config.log.maxWaitingBytes,
      ...(pool.warmUp.length > 0 && { warmUp: pool.warmUp }),
      ...(pool.kind && { kind: pool.kind }),
      ...(pool.export && { export: pool.export }),
      ...(pool.port && { port: pool.port }),
      ...(pool.binds.length > 0 && { binds: pool.binds }),
    },
    ...(flags && { flags }),
    ...(prints && { prints }),
    ...companionOf(actors, pool),
    ...(onLoaded && { onLoaded }),
  };
}
