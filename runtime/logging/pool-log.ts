/** What a pool tells, as lines of the log. docs/operations.md says what each means. */
import type { Redaction } from '../../wire/redaction.ts';
import type { PoolConfig } from '../config/config.ts';
import type { PoolObserver } from '../pools/pool.ts';
import type { Log } from './log.ts';

/** What is known of a pool apart from what it knows itself. */
export interface PoolKnowledge {
  /** Undefined: it is to end. */
  readonly config: PoolConfig | undefined;
  /** Why it goes on with what it had loaded, and not with what is on the disk; undefined: it does not. */
  readonly stale: string | undefined;
}

/**
 * @param know of the pool as it is configured now
 * @param redaction of what requests ask for
 * @param onGaveUp the pool is configured to end the server, and it is time
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
