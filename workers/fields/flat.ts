/** Fields to send that are flat already: what adapters collect, without a pair for each line. */

export class FlatFields implements Iterable<readonly [name: string, value: string]> {
  /** Name, value, name, value… in lower case. */
  readonly flat: readonly string[];

  constructor(flat: readonly string[]) {
    this.flat = flat;
  }

  *[Symbol.iterator](): Iterator<readonly [name: string, value: string]> {
    const { flat } = this;
    for (let i = 0; i < flat.length; i += 2) yield [flat[i] as string, flat[i + 1] as string];
  }
}
