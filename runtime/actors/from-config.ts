/** Makes the directory from the actors of a configuration, and keeps it in step with the pools. */
import { pathToFileURL } from 'node:url';
import type { Config } from '../config/config.ts';
import type { Log } from '../logging/log.ts';
import type { ThreadCompanion } from '../pools/companion.ts';
import type { Pool } from '../pools/pool.ts';
import { ActorDirectory } from './directory.ts';

/** Null: the configuration has neither actors nor topics, so that nothing of them costs anything. */
export function createDirectory(config: Config, log: Log): ActorDirectory | null {
  const actors = Object.values(config.actors);
  if (config.topics === null) return null;
  return new ActorDirectory(
    {
      actors,
      topics: config.topics,
      direct: {
        maxChannels: config.limits.directChannels.max,
        afterCalls: config.limits.directChannels.afterCalls,
      },
      recallAfterMs: Math.min(...Object.values(config.pools).map(({ recallAfterMs }) => recallAfterMs)),
      maxErrorChars: config.log.maxErrorChars,
    },
    {
      onTellFailed: (actor, key, error) =>
        log.error({ actor, key, err: error }, 'actor failed on a message whose sender does not wait'),
      onTellLost: (actor, key, why) => log.error({ actor, key, why }, 'a message to an actor was lost'),
      onRestart: (actor, key, thread, err) => log.warn({ actor, key, thread, err }, 'actor restarts'),
      onStartFailed: (actor, key, error) => log.error({ actor, key, err: error }, 'actor did not restart'),
      onStopFailed: (actor, key, error) => log.error({ actor, key, err: error }, 'actor did not stop'),
    },
  );
}

/** Threads of files answer requests without the application's code, so none of them can call an actor. */
export function companionOf(
  directory: ActorDirectory | null,
  {
    name,
    applicationOptions,
    ringBytes,
    actorCallsPerThread: callsPerThread,
    actorBacklogBytes: backlogBytes,
    module: path,
  }: Config['pools'][string],
): { companion?: ThreadCompanion } {
  if (directory === null || applicationOptions !== undefined) return {};
  const module = path === undefined ? null : pathToFileURL(path).href;
  const pool = { name, ringBytes, callsPerThread, backlogBytes, module };
  return { companion: { attach: (thread, abort) => directory.attach(thread, pool, abort) } };
}

/**
 * Applications stop first, as what they do then may call actors; then all that was accepted is handled; then the threads with actors
 * end.
 */
export async function drainPools(
  pools: readonly Pool[],
  directory: ActorDirectory | null,
  hasActors: (pool: string) => boolean,
): Promise<void> {
  const first = directory === null ? pools : pools.filter(({ name }) => !hasActors(name));
  await Promise.all(first.map((pool) => pool.drain()));
  if (directory === null) return;
  await directory.drain();
  await Promise.all(pools.filter((pool) => !first.includes(pool)).map((pool) => pool.drain()));
}
