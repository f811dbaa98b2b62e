/** Reports an application's failures to the reactor's log, at a bounded rate: one that throws on every request must not bury the log. */
import type { ThreadReports } from '../../wire/control.ts';
import { cut, describeError, MAX_NAME_CHARS } from '../../wire/error-report.ts';
import type { ExchangeRequest } from '../gateway.ts';
import type { HostObserver } from './host.ts';

/** The most failures reported in one second. The others are counted. */
const REPORTS_PER_SECOND = 20;
/** Characters of a request's path that a report keeps. */
const MAX_PATH_CHARS = 2_048;

type Reported = Parameters<ThreadReports['applicationError']>;

export class FailureReporter implements HostObserver {
  readonly #report: (...reported: Reported) => void;
  readonly #maxErrorChars: number | undefined;
  readonly #nowMs: () => number;
  #second = 0;
  #told = 0;
  #suppressed = 0;

  constructor(
    report: (...reported: Reported) => void,
    maxErrorChars: number | undefined,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#report = report;
    this.#maxErrorChars = maxErrorChars;
    this.#nowMs = nowMs;
  }

  onFailure(error: unknown, request: ExchangeRequest, requestId: string): void {
    const second = Math.floor(this.#nowMs() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#told = 0;
    }
    if (this.#told >= REPORTS_PER_SECOND) {
      this.#suppressed++;
      return;
    }
    this.#told++;
    this.#report(
      describeError(error, this.#maxErrorChars),
      // The peer chose the path, within limits that are too large for log lines.
      cut(request.method, MAX_NAME_CHARS),
      cut(request.path, MAX_PATH_CHARS),
      this.#suppressed,
      requestId,
    );
    this.#suppressed = 0;
  }
}
