/** A least rate: so many bytes a second, judged over a window. */

export interface RateLimit {
  /** 0: any rate will do. */
  readonly bytesPerSecond: number;
  /** The time over which the rate is judged. It ends between one window and two after a peer has stopped. */
  readonly windowMs: number;
}

export function isSlow(bytes: number, overMs: number, bytesPerSecond: number): boolean {
  return bytes * 1_000 < bytesPerSecond * overMs;
}
