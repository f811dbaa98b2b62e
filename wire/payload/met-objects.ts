/**
 * The objects of a payload, in the order in which they begin. The array is reused for the next payload, because shrinking and growing an
 * array again would cost more than a small payload does.
 */

/** After a payload with more objects, the array is replaced. */
const MOST_KEPT = 64;

export class MetObjects {
  count = 0;
  #objects: (object | undefined)[] = [];

  add(object: object): void {
    this.#objects[this.count++] = object;
  }

  /** Undefined: the payload has fewer objects. */
  at(place: number): object | undefined {
    return this.#objects[place];
  }

  /** -1: the object is not among them. */
  placeOf(object: object): number {
    for (let place = 0; place < this.count; place++) if (this.#objects[place] === object) return place;
    return -1;
  }

  /** Keeps only the first `count` objects. */
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
