/** A least rate: this many bytes per second, measured over a window. */

export interface RateLimit {
  /** 0: any rate is allowed. */
  readonly bytesPerSecond: number;
  /**
   * The time over which the rate is measured. A peer that stops is ended between one and two windows later.
   */
  readonly windowMs: number;
}

export function isSlow(bytes: number, overMs: number, bytesPerSecond: number): boolean {
  return bytes * 1_000 < bytesPerSecond * overMs;
}
