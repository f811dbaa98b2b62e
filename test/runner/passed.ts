/** Leaves the tests that passed out of AVA's output, so that a run shows its failures and its summary. */
import { stripVTControlCharacters } from 'node:util';

const PASSED = /^ *✔ /;

/** @returns a function that takes the output in pieces of any size and gives what is left of its whole lines. */
export function withoutPassed(): (text: string) => string {
  let rest = '';
  let wasEmpty = true;
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() as string;
    let shown = '';
    for (const line of lines) {
      const plain = stripVTControlCharacters(line);
      const isEmpty = plain.trim() === '';
      // Empty lines that stood between passed tests would add up.
      if (PASSED.test(plain) || (isEmpty && wasEmpty)) continue;
      wasEmpty = isEmpty;
      shown += `${line}\n`;
    }
    return shown;
  };
}
