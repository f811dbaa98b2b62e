/**
 * How long something took, counted in a fixed number of buckets: four for each doubling of microseconds. So a
 * value that is read back is at most a quarter too high. Recording allocates nothing.
 */

/** 32 doublings of four. */
const BUCKETS = 128;

export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  count = 0;
  sumUs = 0;

  /** @param us a whole number below 2^32 */
  record(us: number): void {
    this.count++;
    this.sumUs += us;
    (this.#counts[bucketOf(us)] as number)++;
  }

  add(other: Histogram): void {
    this.count += other.count;
    this.sumUs += other.sumUs;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      (this.#counts[bucket] as number) += other.#counts[bucket] as number;
    }
  }

  /** The time within which this part of all values lies, in microseconds; 0: nothing has been recorded. */
  quantileUs(part: number): number {
    let left = Math.ceil(this.count * part);
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#counts[bucket] as number;
      if (left <= 0) return this.count === 0 ? 0 : largestIn(bucket);
    }
    return largestIn(BUCKETS - 1);
  }

  /** The buckets that are not empty: their upper bound in microseconds, and their count. */
  *[Symbol.iterator](): Iterator<readonly [mostUs: number, count: number]> {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = this.#counts[bucket] as number;
      if (count > 0) yield [largestIn(bucket), count];
    }
  }
}

function bucketOf(us: number): number {
  if (us < 4) return us;
  const doubling = 31 - Math.clz32(us);
  return (doubling << 2) | ((us >>> (doubling - 2)) & 3);
}

function largestIn(bucket: number): number {
  if (bucket < 4) return bucket;
  const doubling = bucket >>> 2;
  return (5 + (bucket & 3)) * 2 ** (doubling - 2) - 1;
}
