/** The most recent events of threads and pools with their reasons, independent of the log level. */
import type { PoolObserver } from '../pools/pool.ts';
import type { PoolEvent } from './status-types.ts';

const MOST_RECENT_EVENTS = 200;
const MOST_WHY_CHARS = 500;

export class RecentEvents {
  readonly #events: PoolEvent[] = [];
  readonly #now: () => Date;

  constructor(now: () => Date = () => new Date()) {
    this.#now = now;
  }

  /** Newest last. */
  get all(): readonly PoolEvent[] {
    return this.#events;
  }

  /** Returns an observer that records events and passes them on. */
  follow(observer: PoolObserver): PoolObserver {
    return {
      ...observer,
      onThreadStarted: (pool, thread) => {
        this.#add(pool.name, 'started', thread);
        observer.onThreadStarted(pool, thread);
      },
      onThreadDied: (pool, thread, cause, casualties, nextStartInMs) => {
        this.#add(pool.name, 'died', thread, `${cause.name}: ${cause.message}`);
        observer.onThreadDied(pool, thread, cause, casualties, nextStartInMs);
      },
      onThreadOverdue: (pool, thread, overdue) => {
        this.#add(pool.name, 'overdue', thread, `it computes for ${Math.round(overdue.silentMs)} ms`);
        observer.onThreadOverdue(pool, thread, overdue);
      },
      onThreadBack: (pool, thread, awayMs) => {
        this.#add(pool.name, 'back', thread, `after ${Math.round(awayMs)} ms`);
        observer.onThreadBack(pool, thread, awayMs);
      },
      onThreadRecycled: (pool, thread, cause) => {
        this.#add(pool.name, 'recycled', thread, cause);
        observer.onThreadRecycled(pool, thread, cause);
      },
      onThreadNotRecycled: (pool, thread, error) => {
        this.#add(pool.name, 'not-recycled', thread, error instanceof Error ? error.message : '');
        observer.onThreadNotRecycled(pool, thread, error);
      },
      onDegraded: (pool, nextStartInMs) => {
        this.#add(pool.name, 'degraded');
        observer.onDegraded(pool, nextStartInMs);
      },
      onRecovered: (pool) => {
        this.#add(pool.name, 'recovered');
        observer.onRecovered(pool);
      },
    };
  }

  #add(pool: string, what: PoolEvent['what'], thread?: string, why?: string): void {
    this.#events.push({
      at: this.#now().toISOString(),
      pool,
      ...(thread !== undefined && { thread }),
      what,
      ...(why !== undefined && { why: why.slice(0, MOST_WHY_CHARS) }),
    });
    if (this.#events.length > MOST_RECENT_EVENTS) this.#events.shift();
  }
}
