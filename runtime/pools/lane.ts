/**
 * Jobs that are alike, those of one route: what one of them costs its thread is learnt from those before it, so that a route of
 * light work is not judged by a heavy one of the same pool; and how many of them may be with the pool at a time.
 *
 * The cost is the time for which a job keeps its thread from beginning the next one, less what the thread waits for a core. What waits
 * for a database costs little, however long it takes.
 */

export interface LaneOptions {
  /** Jobs that may be with the pool at a time, begun or not. */
  readonly maxConcurrent: number;
  /** Jobs beyond these that may wait for one of them to end. */
  readonly maxHeld: number;
  /** Jobs are given, if they can begin there soon, to the thread that their `affinityKey` names. */
  readonly hasAffinity: boolean;
}

/** Who has the pool that the jobs are for. */
export interface LaneOwner {
  /** A job of the lane has left while others are held. */
  onLaneFree(lane: Lane): void;
}

const UNLIMITED: LaneOptions = { maxConcurrent: Infinity, maxHeld: 0, hasAffinity: false };

/** Of a lane that nothing is known of: enough that no thread is given many before one of them is over. */
const UNKNOWN_US = 1_000;
/**
 * A sample counts as this at most: what is heavy is heavy, and a heavy one among twenty light ones is an exception, which is taken care of when it is
 * met, and no reason to let threads wait for each of the others.
 */
const MOST_US = 10_000;
/** The weight of a new sample is one in so many, once there have been as many. */
const MEMORY = 32;

export class Lane {
  /** What the next job is expected to cost, in whole microseconds: the mean and the mean distance from it, as costs that vary are no promise. */
  costUs = UNKNOWN_US;
  #options: LaneOptions;
  /** Jobs that are with the pool. */
  running = 0;
  /** Who holds jobs until fewer are; null: there are none. */
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

  /** Jobs that are with the pool stay there, though they may be more than are allowed now; held ones go if there may be more. */
  reconfigure(options: LaneOptions): void {
    this.#options = options;
    if (this.owner !== null) this.owner.onLaneFree(this);
  }

  get isFull(): boolean {
    return this.running >= this.#options.maxConcurrent;
  }

  /** A job that was with the pool is over, or has been taken back for good. */
  leave(): void {
    this.running--;
    if (this.owner !== null) this.owner.onLaneFree(this);
  }

  /** A job is over that has cost so much. */
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
