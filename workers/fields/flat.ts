/** Fields as the flat list in which they are sent. A gateway takes the list without allocating a pair for each field. */
import { FieldMark, isMarked, plainName } from '../../wire/field-marks.ts';
import type { FieldValue } from '../gateway.ts';

export class FlatFields implements Iterable<readonly [name: string, value: FieldValue]> {
  /** Name, value, name, value…: names in lower case, each behind its mark if it has one. */
  readonly flat: readonly string[];

  constructor(flat: readonly string[]) {
    this.flat = flat;
  }

  /** The pairs that an application would have passed. */
  *[Symbol.iterator](): Iterator<readonly [name: string, value: FieldValue]> {
    const { flat } = this;
    for (let i = 0; i < flat.length; i += 2) {
      const name = flat[i] as string;
      const value = flat[i + 1] as string;
      if (!isMarked(name)) yield [name, value];
      else
        yield [plainName(name), { value, indexing: name.startsWith(FieldMark.Never) ? 'never' : 'prefer' }];
    }
  }
}
