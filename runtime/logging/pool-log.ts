/** Turns events of a pool into log lines. docs/operations.md explains each. */
import type { Redaction } from '../../wire/redaction.ts';
import type { PoolConfig } from '../config/config.ts';
import type { PoolObserver } from '../pools/pool.ts';
import type { Log } from './log.ts';

/** Facts about a pool that the pool itself does not have. */
export interface PoolKnowledge {
  /** Undefined if a reload has removed the pool and it is ending. */
  readonly config: PoolConfig | undefined;
  /** Why the pool still runs an older version than the one on the disk; undefined if it does not. */
  readonly stale: string | undefined;
}

/**
 * @param know facts about the pool as it is configured now
 * @param redaction for paths of requests
 * @param onGaveUp called when too many threads have died and `restart.giveUp` is set
 */
export function poolLog(
  log: Log,
  know: () => PoolKnowledge,
  redaction: Redaction,
  onGaveUp: () => void,
): PoolObserver {
  return {
    onThreadStarted: ({ name }, thread) => log.debug({ pool: name, thread }, 'thread started'),
    onThreadDied: ({ name }, thread, cause, { first, more, moved }, nextStartInMs) => {
      const line = { pool: name, thread, err: cause, begun: first, moreBegun: more, moved };
      if (nextStartInMs === 0) log.error(line, 'thread died: it is replaced');
      else {
        log.error(
          { ...line, nextStartInMs: Math.ceil(nextStartInMs) },
          'thread died: it is replaced later, because many have died',
        );
      }
    },
    onThreadOverdue: ({ name }, thread, { silentMs, overran, others, moreOthers }) =>
      log.error(
        { pool: name, thread, silentMs: Math.round(silentMs), overran, others, moreOthers },
        'thread overdue: it has not returned to its event loop within computeTimeoutMs, and is ended unless it returns',
      ),
    onThreadBack: ({ name }, thread, awayMs) =>
      log.warn(
        { pool: name, thread, awayMs: Math.round(awayMs) },
        'thread returned: it was overdue and continues',
      ),
    onChildrenEnded: ({ name }, thread, processIds) =>
      log.warn(
        { pool: name, thread, processIds },
        'child processes killed: an ended thread was waiting for them',
      ),
    onThreadRecycled: ({ name }, thread, cause) =>
      log.info({ pool: name, thread, cause }, 'thread recycled: another takes its place'),
    onThreadNotRecycled: ({ name }, thread, error) =>
      log.error({ pool: name, thread, err: error }, 'thread not recycled: its replacement did not load'),
    onDegraded: ({ name, dispatcher }, nextStartInMs) => {
      const { config, stale } = know();
      const min = config?.threads.min;
      log.warn(
        { pool: name, threads: dispatcher.threads.length, min, nextStartInMs, ...(stale && { stale }) },
        stale === undefined
          ? 'pool degraded: it has fewer threads than its minimum until its application stays alive'
          : 'pool degraded: its version is no longer on the disk, and the version that is there fails',
      );
    },
    onRecovered: ({ name, dispatcher }) =>
      log.info({ pool: name, threads: dispatcher.threads.length }, 'pool recovered'),
    onGaveUp: ({ name }, cause) => {
      log.fatal(
        { pool: name, err: cause, restart: know().config?.restart },
        'too many threads died: the server ends, because restart.giveUp is set',
      );
      onGaveUp();
    },
    onApplicationError: ({ name }, error, method, path, suppressed, requestId) =>
      log.error(
        {
          pool: name,
          err: error,
          method,
          path: redaction.query(path),
          suppressed,
          ...(requestId && { requestId }),
        },
        'application failed on an exchange',
      ),
    onPrintsDropped: ({ name }, thread, stream, writes) =>
      log.warn(
        { pool: name, thread, stream, writes },
        'application output was dropped: too much was waiting in its thread',
      ),
    onStopFailed: ({ name }, thread, error) =>
      log.error({ pool: name, thread, err: error }, 'application did not stop'),
  };
}
