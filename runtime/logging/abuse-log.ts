/**
 * Logs connections that are closed for abuse of HTTP/2: which budget or limit, which peer, and what the connection had done by then. An
 * operator learns from it of attacks, and of honest peers for which a budget is too small.
 *
 * Peers choose how often this happens, so there is at most one line per budget in `intervalMs`. Events that are left out are counted; the next
 * line, or a line at the end of the interval, shows the count.
 */
import type { Abuse, EngineCounters } from '../http2/counters.ts';
import { frameName } from '../http2/frames.ts';
import type { Peer } from '../listeners/peer.ts';
import type { Log } from './log.ts';

/** Options outside of `http2.budgets`. */
const limits: { readonly [abuse: string]: string } = {
  continuation: 'http2.maxContinuationFrames',
  fieldBlock: 'http2.maxFieldBlockBytes',
  unsentOutput: 'http2.maxUnsentBytes',
};

/** Of one budget. */
interface Told {
  atMs: number;
  suppressed: number;
}

export class AbuseLog {
  readonly #log: Log;
  readonly #intervalMs: number;
  /** At most one entry for each budget and limit. */
  readonly #told = new Map<Abuse, Told>();

  constructor(log: Log, intervalMs = 1_000) {
    this.#log = log;
    this.#intervalMs = intervalMs;
  }

  add(abuse: Abuse, { address, port }: Peer, counters: EngineCounters, nowMs: number): void {
    const told = this.#told.get(abuse);
    if (told !== undefined && nowMs - told.atMs < this.#intervalMs) {
      told.suppressed++;
      return;
    }
    const suppressed = told?.suppressed ?? 0;
    this.#told.set(abuse, { atMs: nowMs, suppressed: 0 });
    this.#log.warn(
      {
        budget: abuse,
        option: limits[abuse] ?? `http2.budgets.${abuse}`,
        // A Unix domain socket has neither.
        peer: address.includes(':') ? `[${address}]:${port}` : address === '' ? 'unix' : `${address}:${port}`,
        counts: countsOf(counters),
        ...(suppressed > 0 && { suppressed }),
      },
      'connection ended with ENHANCE_YOUR_CALM: the peer exceeded an abuse budget',
    );
  }

  /** Logs counts of events that were left out and had no further line. */
  tick(nowMs: number): void {
    for (const [budget, told] of this.#told) {
      if (nowMs - told.atMs < this.#intervalMs) continue;
      if (told.suppressed > 0) {
        this.#log.warn(
          { budget, option: limits[budget] ?? `http2.budgets.${budget}`, suppressed: told.suppressed },
          'more connections ended for the same abuse',
        );
      }
      this.#told.delete(budget);
    }
  }
}

/** Counters that are not 0, frames by the names of their types. */
function countsOf(counters: EngineCounters): Readonly<Record<string, unknown>> {
  const counts: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(counters)) {
    if (typeof value === 'number' && value > 0) counts[name] = value;
    else if (Array.isArray(value)) counts[name] = framesOf(value);
  }
  return counts;
}

function framesOf(frames: readonly number[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    frames.flatMap((count, type) => (count > 0 ? [[frameName(type), count] as const] : [])),
  );
}
