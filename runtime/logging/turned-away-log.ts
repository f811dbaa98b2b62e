/**
 * Logs connections and requests that were refused before they became exchanges, with the reason. The level is debug, because it is the peer's
 * fault. At most one line per reason in `intervalMs` (see `LimitedLines`), so that no peer fills a disk.
 */
import type { RequestRefusal } from '../connections/request-refusal.ts';
import type { Refusal } from '../listeners/listener.ts';
import { LimitedLines } from './limited-lines.ts';
import type { Log } from './log.ts';

export class TurnedAwayLog {
  readonly #log: Log;
  readonly #connections: LimitedLines<Refusal>;
  readonly #requests: LimitedLines<RequestRefusal>;

  constructor(log: Log, intervalMs = 1_000) {
    this.#log = log;
    this.#connections = new LimitedLines(intervalMs);
    this.#requests = new LimitedLines(intervalMs);
  }

  connection(refusal: Refusal, address: string, why: string, nowMs: number): void {
    const suppressed = this.#connections.add(refusal, nowMs);
    if (suppressed === null) return;
    this.#log.debug({ refusal, address, why, ...(suppressed > 0 && { suppressed }) }, 'connection refused');
  }

  request(refusal: RequestRefusal, address: string, why: string, nowMs: number): void {
    const suppressed = this.#requests.add(refusal, nowMs);
    if (suppressed === null) return;
    this.#log.debug({ refusal, address, why, ...(suppressed > 0 && { suppressed }) }, 'request refused');
  }

  /** Logs counts of refusals that were left out and had no further line. */
  tick(nowMs: number): void {
    for (const [refusal, suppressed] of this.#connections.leftOut(nowMs))
      this.#log.debug({ refusal, suppressed }, 'more connections refused');
    for (const [refusal, suppressed] of this.#requests.leftOut(nowMs))
      this.#log.debug({ refusal, suppressed }, 'more requests refused');
  }
}
