/**
 * A queue of waiting items by address. The first turn goes to the address that arrived last among those that
 * have not been served since they arrived. When there is none, the others take turns. So a thousand peers of
 * one address delay another address no more than one peer would.
 *
 * Within one address the newest item goes first: if more arrive than can be served, those that have waited
 * long have mostly given up.
 */

export class AddressLine<Item> {
  /** The waiting items of each address, oldest first. No stack is empty. */
  readonly #stacks = new Map<string, Item[]>();
  /** Addresses that have not been served since they arrived, newest last. */
  readonly #fresh: string[] = [];
  /** The other addresses, in the order of their turns. */
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

  /** @returns undefined if no connection waits */
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

  /** Removes all items for which this holds. */
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
