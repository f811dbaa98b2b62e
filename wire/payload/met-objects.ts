/**
 * The objects of a payload, in the order in which they begin. Its array is used again for the next payload, because a small payload costs
 * less than to shrink an array and have it grow again.
 */

/** A payload with more objects has an array of its own. */
const MOST_KEPT = 64;

export class MetObjects {
  count = 0;
  #objects: (object | undefined)[] = [];

  add(object: object): void {
    this.#objects[this.count++] = object;
  }

  /** Undefined: there are not so many. */
  at(place: number): object | undefined {
    return this.#objects[place];
  }

  /** -1: it is none of them. */
  placeOf(object: object): number {
    for (let place = 0; place < this.count; place++) if (this.#objects[place] === object) return place;
    return -1;
  }

  /** Only the first so many have been met. */
  cut(count: number): void {
    for (let place = count; place < this.count; place++) this.#objects[place] = undefined;
    this.count = count;
  }

  clear(): void {
    if (this.count > MOST_KEPT) {
      this.#objects = [];
      this.count = 0;
    } else {
      this.cut(0);
    }
  }
}
