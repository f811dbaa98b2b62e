/** The last five minutes of each pool, second by second, in arrays that never grow. */
import type { PoolStatus, ServerStatus, WaitStatus } from '../../status/status-types.ts';

export const POINTS = 300;

/** Of one second. */
export interface Point {
  readonly perSecond: number;
  /** Of what ended in this second, in milliseconds; null: nothing did. */
  readonly p50: number | null;
  readonly p99: number | null;
  readonly wait50: number | null;
  readonly wait99: number | null;
  readonly stallsPerSecond: number;
  /** The fullest ring, 0 to 100. */
  readonly ring: number;
}

export const SERIES = ['perSecond', 'p50', 'p99', 'wait50', 'wait99', 'stallsPerSecond', 'ring'] as const;
export type Series = (typeof SERIES)[number];

type Row = (number | null)[];

export class Track {
  readonly rows: Readonly<Record<Series, Row>>;

  constructor() {
    const row = (): Row => new Array<number | null>(POINTS).fill(null);
    this.rows = {
      perSecond: row(),
      p50: row(),
      p99: row(),
      wait50: row(),
      wait99: row(),
      stallsPerSecond: row(),
      ring: row(),
    };
  }

  add(point: Point): void {
    for (const name of SERIES) {
      const row = this.rows[name];
      row.copyWithin(0, 1);
      row[POINTS - 1] = point[name];
    }
  }
}

export class History {
  /** Seconds since the epoch, of each point. */
  readonly times: number[] = new Array<number>(POINTS).fill(0);
  /** When it began, or the oldest point if that is later. */
  since = 0;
  readonly #tracks = new Map<string, Track>([['', new Track()]]);
  #before: ServerStatus | null = null;

  /** @param pool empty: all of them */
  track(pool: string): Track {
    return this.#tracks.get(pool) ?? (this.#tracks.get('') as Track);
  }

  add(now: ServerStatus, atSeconds: number): void {
    const before = this.#before;
    this.#before = now;
    if (this.times[0] === 0) {
      for (let i = 0; i < POINTS; i++) this.times[i] = atSeconds - POINTS + 1 + i;
      this.since = atSeconds;
    }
    if (before === null || before.pid !== now.pid || now.uptimeMs <= before.uptimeMs) return;
    this.times.copyWithin(0, 1);
    this.times[POINTS - 1] = atSeconds;
    this.since = Math.max(this.since, this.times[0] as number);
    const seconds = (now.uptimeMs - before.uptimeMs) / 1_000;
    const earlier = new Map(before.pools.map((pool) => [pool.name, pool]));
    const names = new Set(now.pools.map(({ name }) => name));
    for (const name of this.#tracks.keys()) if (name !== '' && !names.has(name)) this.#tracks.delete(name);
    for (const pool of now.pools) {
      const track = this.#tracks.get(pool.name) ?? new Track();
      this.#tracks.set(pool.name, track);
      track.add(pointOf([pool], earlier, seconds));
    }
    (this.#tracks.get('') as Track).add(pointOf(now.pools, earlier, seconds));
  }
}

function pointOf(
  pools: readonly PoolStatus[],
  earlier: ReadonlyMap<string, PoolStatus>,
  seconds: number,
): Point {
  let ended = 0;
  let stalls = 0;
  let ring = 0;
  const service = new Map<number, number>();
  const wait = new Map<number, number>();
  for (const pool of pools) {
    const before = earlier.get(pool.name);
    ended += Math.max(0, pool.total.ended - (before?.total.ended ?? 0));
    stalls += Math.max(0, pool.total.creditStalls - (before?.total.creditStalls ?? 0));
    addBuckets(service, pool.total.service, before?.total.service);
    addBuckets(wait, pool.total.queueWait, before?.total.queueWait);
    for (const { requestRing, responseRing } of pool.threads)
      for (const { usedBytes, bytes } of [requestRing, responseRing])
        ring = Math.max(ring, bytes === 0 ? 0 : (100 * usedBytes) / bytes);
  }
  return {
    perSecond: ended / seconds,
    p50: quantile(service, 0.5),
    p99: quantile(service, 0.99),
    wait50: quantile(wait, 0.5),
    wait99: quantile(wait, 0.99),
    stallsPerSecond: stalls / seconds,
    ring,
  };
}

/** What has come since. */
function addBuckets(into: Map<number, number>, now: WaitStatus, before: WaitStatus | undefined): void {
  const earlier = new Map(before?.buckets);
  for (const [most, count] of now.buckets ?? []) {
    const since = count - (earlier.get(most) ?? 0);
    if (since > 0) into.set(most, (into.get(most) ?? 0) + since);
  }
}

export function quantile(buckets: ReadonlyMap<number, number>, part: number): number | null {
  let count = 0;
  for (const times of buckets.values()) count += times;
  if (count === 0) return null;
  let left = Math.ceil(count * part);
  for (const [most, times] of [...buckets].sort(([one], [other]) => one - other)) {
    left -= times;
    if (left <= 0) return most;
  }
  return null;
}
