/**
 * Pseudo-random numbers, reproducible from their seed. One case of a fuzz run draws everything from one
 * generator.
 */

export class Random {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds are neighbouring cases, so they are spread.
    this.#state = Math.imul(seed ^ (seed >>> 16), 0x45d9f3b) >>> 0;
  }

  /** 0 to 2^32-1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A number from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + (this.next() % (most - least + 1));
  }

  /** True in `percent` of a hundred draws. */
  chance(percent: number): boolean {
    return this.next() % 100 < percent;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.next() % values.length] as T;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let i = 0; i < length; i++) bytes[i] = this.next();
    return bytes;
  }

  /** A printable string. */
  text(length: number): string {
    return Array.from({ length }, () => String.fromCharCode(this.integer(0x20, 0x7e))).join('');
  }
}
