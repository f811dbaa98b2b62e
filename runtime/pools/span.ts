/**
 * Records where the time of one job goes. It exists only while a profile runs. Otherwise `Job.span` is null,
 * which is all that each recording place checks.
 *
 *   submitted ─queue wait─▶ assigned ─claim wait─▶ begun ── stalls ── first byte ──▶ released ──▶ ended
 *
 * Times are milliseconds of the reactor's `performance.now()`; NaN: it has not happened.
 */

/** What a running exchange waits for. */
export const Stall = {
  /** The application waits until the peer reads more of the response: its credit is used up. */
  Response: 0,
  /** The peer's bytes wait until the application reads them. */
  Request: 1,
} as const;
export type Stall = (typeof Stall)[keyof typeof Stall];

/** Decides which jobs of a pool are followed. */
export interface SpanRecorder {
  /** Null: this job is not followed. */
  begin(label: string): JobSpan | null;
}

/** Bounds the list, because a peer decides how often an exchange stalls. */
const MOST_STALLS = 16;

export class JobSpan {
  readonly label: string;
  readonly pool: string;
  readonly submittedMs: number;
  /** The thread to which the job was given last. */
  thread = '';
  assignedMs = Number.NaN;
  /** When the thread began the job, as `clockMicroseconds` by the thread's own clock; -1: not begun. */
  begunAtUs = -1;
  firstByteMs = Number.NaN;
  releasedMs = Number.NaN;
  endedMs = Number.NaN;
  /** How often the job was taken back from a thread that had not begun it. */
  recalls = 0;
  isRefused = false;
  /** Kind, start and end of each, one after another. The last end may be missing. */
  readonly stalls: number[] = [];
  readonly #open: [response: boolean, request: boolean] = [false, false];
  readonly #startMs: [response: number, request: number] = [0, 0];

  constructor(label: string, pool: string, nowMs: number) {
    this.label = label;
    this.pool = pool;
    this.submittedMs = nowMs;
  }

  assigned(thread: string): void {
    this.thread = thread;
    this.assignedMs = performance.now();
  }

  recalled(): void {
    this.recalls++;
    this.assignedMs = Number.NaN;
  }

  released(begunAtUs: number): void {
    this.begunAtUs = begunAtUs;
    this.releasedMs = performance.now();
    this.resume(Stall.Response);
    this.resume(Stall.Request);
  }

  refused(): void {
    this.isRefused = true;
    this.releasedMs = performance.now();
  }

  responded(): void {
    if (Number.isNaN(this.firstByteMs)) this.firstByteMs = performance.now();
  }

  ended(): void {
    this.endedMs = performance.now();
  }

  stall(kind: Stall): void {
    if (this.#open[kind]) return;
    this.#open[kind] = true;
    this.#startMs[kind] = performance.now();
  }

  resume(kind: Stall): void {
    if (!this.#open[kind]) return;
    this.#open[kind] = false;
    if (this.stalls.length < 3 * MOST_STALLS) {
      this.stalls.push(kind, this.#startMs[kind], performance.now());
    }
  }

  /** A stall that has not ended counts until now. */
  close(): void {
    this.resume(Stall.Response);
    this.resume(Stall.Request);
  }
}
