/**
 * Who waits, by address. The address that has not been served since it came goes first, the newest of them before the others; then those
 * that have been, in turn. So a thousand peers of one address are no more in the way of another address than one peer would be. Of one
 * address the newest goes first: where more come than can be served, those who have waited long have mostly given up.
 */

export class AddressLine<Item> {
  /** Of each address that waits, oldest first. No stack is empty. */
  readonly #stacks = new Map<string, Item[]>();
  /** Addresses that have not been served since they came, newest last. */
  readonly #fresh: string[] = [];
  /** The others, in the order of their turns. */
  readonly #served = new Set<string>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(address: string, item: Item): void {
    this.#size++;
    const stack = this.#stacks.get(address);
    if (stack !== undefined) {
      stack.push(item);
      return;
    }
    this.#stacks.set(address, [item]);
    this.#fresh.push(address);
  }

  /** @returns undefined when nobody waits */
  take(): Item | undefined {
    const address = this.#fresh.pop() ?? this.#served.values().next().value;
    if (address === undefined) return undefined;
    const stack = this.#stacks.get(address) as Item[];
    const item = stack.pop() as Item;
    this.#size--;
    this.#served.delete(address);
    if (stack.length > 0) this.#served.add(address);
    else this.#stacks.delete(address);
    return item;
  }

  /** Takes out everybody for whom this holds. */
  remove(isOut: (item: Item) => boolean): void {
    for (const [address, stack] of this.#stacks) {
      const left = stack.filter((item) => !isOut(item));
      if (left.length === stack.length) continue;
      this.#size -= stack.length - left.length;
      if (left.length > 0) {
        this.#stacks.set(address, left);
        continue;
      }
      this.#stacks.delete(address);
      if (this.#served.delete(address)) continue;
      this.#fresh.splice(this.#fresh.indexOf(address), 1);
    }
  }
}
