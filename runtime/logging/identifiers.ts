/**
 * Identifiers that no other server and no other process makes: eight random digits, a hyphen, and a count of seven digits, all in base 36.
 *
 * Strings of at most sixteen characters are made, sent to a thread and written into a head without a call into V8's runtime, and one such call
 * takes longer than all of that.
 */
import { randomInt } from 'node:crypto';

const RANDOM_DIGITS = 8;
const COUNT_DIGITS = 7;

const HYPHEN = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_A = 0x61;
const LETTER_Z = 0x7a;

const char = String.fromCharCode;

export class Identifiers {
  readonly #random: (below: number) => number;
  /** The characters of the latest identifier. */
  readonly #last: Uint8Array;

  /** @param random a whole number from 0 to below what is given @param given how many have been made */
  constructor(random: (below: number) => number = randomInt, given = 0) {
    this.#random = random;
    this.#last = new Uint8Array(RANDOM_DIGITS + 1 + COUNT_DIGITS);
    this.#begin(given);
  }

  /** @param count behind new random digits */
  #begin(count: number): void {
    const random = this.#random(36 ** RANDOM_DIGITS)
      .toString(36)
      .padStart(RANDOM_DIGITS, '0');
    const text = `${random}-${count.toString(36).padStart(COUNT_DIGITS, '0')}`;
    for (let i = 0; i < text.length; i++) this.#last[i] = text.charCodeAt(i);
  }

  next(): string {
    const c = this.#last;
    let at = c.length - 1;
    while (c[at] === LETTER_Z) c[at--] = ZERO;
    // The count ends after 78 thousand million identifiers.
    if (c[at] === HYPHEN) this.#begin(1);
    else c[at] = c[at] === NINE ? LETTER_A : (c[at] as number) + 1;
    return char(
      c[0],
      c[1],
      c[2],
      c[3],
      c[4],
      c[5],
      c[6],
      c[7],
      c[8],
      c[9],
      c[10],
      c[11],
      c[12],
      c[13],
      c[14],
      c[15],
    );
  }
}
