/**
 * Jobs that are alike: those of one route. The lane learns from each job what the next one will cost, so that
 * a light route is not judged by a heavy route of the same pool. It also limits how many of its jobs may be
 * with the pool at a time.
 *
 * The cost of a job is the time for which it keeps its thread from beginning the next one, less the time in
 * which the thread waits for a core. A job that waits for a database costs little, however long it takes.
 */

export interface LaneOptions {
  /** Jobs that may be with the pool at a time, begun or not. */
  readonly maxConcurrent: number;
  /** Jobs beyond `maxConcurrent` that may wait for another job to end. */
  readonly maxHeld: number;
  /** A job goes to the thread that its `affinityKey` selects, if it can begin there soon. */
  readonly hasAffinity: boolean;
}

/** The dispatcher of the pool that runs the jobs. */
export interface LaneOwner {
  /** A job of the lane has left the pool while others are held. */
  onLaneFree(lane: Lane): void;
}

const UNLIMITED: LaneOptions = { maxConcurrent: Infinity, maxHeld: 0, hasAffinity: false };

/**
 * The expected cost for a lane without samples. It is high enough that no thread is given many jobs before
 * one of them is over.
 */
const UNKNOWN_US = 1_000;
/**
 * A larger sample counts as this. One heavy job among twenty light ones is an exception, and `rebalance`
 * corrects its effect. It must not make the light ones wait for each other.
 */
const MOST_US = 10_000;
/** A new sample weighs one part in this many, once there have been as many samples. */
const MEMORY = 32;

export class Lane {
  /**
   * The expected cost of the next job in whole microseconds: the mean plus the mean deviation, because
   * varying costs are less predictable.
   */
  costUs = UNKNOWN_US;
  #options: LaneOptions;
  /** Jobs that are with the pool. */
  running = 0;
  /** Holds jobs until fewer are with the pool; null: no job is held. */
  owner: LaneOwner | null = null;
  #meanUs = 0;
  #deviationUs = 0;
  #samples = 0;

  constructor(options = UNLIMITED) {
    this.#options = options;
  }

  get options(): LaneOptions {
    return this.#options;
  }

  /**
   * May be replaced. Jobs that are with the pool stay there even if they are more than the new limit; held
   * jobs go if the new limit allows it.
   */
  reconfigure(options: LaneOptions): void {
    this.#options = options;
    if (this.owner !== null) this.owner.onLaneFree(this);
  }

  get isFull(): boolean {
    return this.running >= this.#options.maxConcurrent;
  }

  /** Called when a job that was with the pool is over, or has been taken back for good. */
  leave(): void {
    this.running--;
    if (this.owner !== null) this.owner.onLaneFree(this);
  }

  /** Called when a job is over, with its cost. */
  record(us: number): void {
    const sampleUs = Math.min(us, MOST_US);
    if (this.#samples < MEMORY) this.#samples++;
    const weight = 1 / this.#samples;
    const distanceUs = sampleUs - this.#meanUs;
    this.#meanUs += weight * distanceUs;
    if (this.#samples > 1) this.#deviationUs += weight * (Math.abs(distanceUs) - this.#deviationUs);
    this.costUs = (this.#meanUs + this.#deviationUs + 1) | 0;
  }
}
