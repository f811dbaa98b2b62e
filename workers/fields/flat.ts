/** Fields that are laid out flat already, as they travel: for who has them so, and a gateway takes them without a pair for each. */
import { FieldMark, isMarked, plainName } from '../../wire/field-marks.ts';
import type { FieldValue } from '../gateway.ts';

export class FlatFields implements Iterable<readonly [name: string, value: FieldValue]> {
  /** Name, value, name, value… in lower case; marks in front of the names. */
  readonly flat: readonly string[];

  constructor(flat: readonly string[]) {
    this.flat = flat;
  }

  /** As an application would have given them. */
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
