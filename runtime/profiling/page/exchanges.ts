/** The exchanges of a profile: when each was in which phase, and how many were in a phase at a time. */
import type { ExchangesData } from './data.ts';
import { decodeIntegers } from './decode.ts';
import { firstAbove } from './model.ts';

/** In the order in which an exchange goes through them; a stall lies within `running`. */
export const phases = ['queue wait', 'claim wait', 'running', 'credit stall', 'sending'] as const;
export const Phase = { Queue: 0, Claim: 1, Running: 2, Stall: 3, Sending: 4 } as const;

/** Phase, start and end in microseconds. */
export type PhaseSpan = readonly [phase: number, start: number, end: number];

export interface ExchangeModel {
  readonly label: string;
  readonly pool: string;
  readonly thread: string;
  readonly start: number;
  readonly end: number;
  readonly spans: readonly PhaseSpan[];
  readonly firstByte: number | null;
  readonly recalls: number;
  readonly isRefused: boolean;
}

export function readExchanges(data: ExchangesData, durationUs: number): ExchangeModel[] {
  const numbers = decodeIntegers(data.rows);
  const exchanges: ExchangeModel[] = [];
  let at = 0;
  let submitted = 0;
  const next = (): number => numbers[at++];
  while (at < numbers.length) {
    const label = data.labels[next()];
    const pool = data.pools[next()];
    const thread = data.threads[next()];
    submitted += next();
    const time = (): number | null => {
      const number = next();
      return number === 0 ? null : submitted + number - 1;
    };
    const assigned = time();
    const begun = time();
    const firstByte = time();
    const released = time();
    const ended = time();
    const recalls = next();
    const isRefused = next() === 1;
    const spans: PhaseSpan[] = [];
    const over = released ?? durationUs;
    spans.push([Phase.Queue, submitted, assigned ?? over]);
    if (assigned !== null) spans.push([Phase.Claim, assigned, begun ?? over]);
    if (begun !== null) spans.push([Phase.Running, begun, over]);
    if (released !== null && ended !== null && ended > released) {
      spans.push([Phase.Sending, released, ended]);
    }
    for (let stalls = next(); stalls > 0; stalls--) {
      next();
      const start = submitted + next();
      spans.push([Phase.Stall, start, start + next()]);
    }
    const end = Math.max(over, ended ?? 0);
    exchanges.push({ label, pool, thread, start: submitted, end, spans, firstByte, recalls, isRefused });
  }
  return exchanges;
}

/** How many exchanges are in one phase, averaged over any period. */
export class PhaseCount {
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  readonly #startSums: Float64Array;
  readonly #endSums: Float64Array;

  constructor(exchanges: readonly ExchangeModel[], phase: number) {
    const spans = exchanges.flatMap(({ spans }) => spans.filter(([of]) => of === phase));
    this.#starts = Float64Array.from(spans, ([, start]) => start).sort();
    this.#ends = Float64Array.from(spans, ([, , end]) => end).sort();
    this.#startSums = sumsOf(this.#starts);
    this.#endSums = sumsOf(this.#ends);
  }

  /** The average from one time to a later one. */
  average(start: number, end: number): number {
    return (this.#integral(end) - this.#integral(start)) / (end - start);
  }

  #integral(time: number): number {
    const started = firstAbove(this.#starts, time);
    const ended = firstAbove(this.#ends, time);
    return started * time - this.#startSums[started] - (ended * time - this.#endSums[ended]);
  }
}

/** The running sums. */
function sumsOf(values: Float64Array): Float64Array {
  const sums = new Float64Array(values.length + 1);
  for (let i = 0; i < values.length; i++) sums[i + 1] = sums[i] + values[i];
  return sums;
}

export interface PackedRow {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly exchanges: readonly ExchangeModel[];
}

/** Puts exchanges into rows in which none overlaps another. Exchanges without a row are left out. */
export function pack(exchanges: readonly ExchangeModel[], mostRows: number): PackedRow[] {
  const rows: ExchangeModel[][] = [];
  const ends: number[] = [];
  for (const exchange of [...exchanges].sort((a, b) => a.start - b.start)) {
    let row = ends.findIndex((end) => end <= exchange.start);
    if (row === -1) {
      if (rows.length === mostRows) continue;
      row = rows.push([]) - 1;
    }
    rows[row].push(exchange);
    ends[row] = exchange.end;
  }
  return rows.map((exchanges) => ({
    starts: Float64Array.from(exchanges, ({ start }) => start),
    ends: Float64Array.from(exchanges, ({ end }) => end),
    exchanges,
  }));
}
