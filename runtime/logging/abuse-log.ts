/**
 * Logs connections that are closed for abuse of HTTP/2: which budget or limit, which peer, and what the connection had done by then. An
 * operator learns from it of attacks, and of honest peers for which a budget is too small.
 *
 * At most one line per budget in `intervalMs` (see `LimitedLines`).
 */
import type { Peer } from '../connections/peer.ts';
import type { Abuse, EngineCounters } from '../http2/counters.ts';
import { frameName } from '../http2/frames.ts';
import { LimitedLines } from './limited-lines.ts';
import type { Log } from './log.ts';

/** Options outside of `http2.budgets`. */
const limits: { readonly [abuse: string]: string } = {
  continuation: 'http2.maxContinuationFrames',
  fieldBlock: 'http2.maxFieldBlockBytes',
  unsentOutput: 'http2.maxUnsentBytes',
};

export class AbuseLog {
  readonly #log: Log;
  readonly #lines: LimitedLines<Abuse>;

  constructor(log: Log, intervalMs = 1_000) {
    this.#log = log;
    this.#lines = new LimitedLines(intervalMs);
  }

  add(abuse: Abuse, { address, port }: Peer, counters: EngineCounters, nowMs: number): void {
    const suppressed = this.#lines.add(abuse, nowMs);
    if (suppressed === null) return;
    this.#log.warn(
      {
        budget: abuse,
        option: optionOf(abuse),
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
    for (const [budget, suppressed] of this.#lines.leftOut(nowMs))
      this.#log.warn(
        { budget, option: optionOf(budget), suppressed },
        'more connections ended for the same abuse',
      );
  }
}

function optionOf(abuse: Abuse): string {
  return limits[abuse] ?? `http2.budgets.${abuse}`;
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
