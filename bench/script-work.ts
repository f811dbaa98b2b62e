/**
 * The code that a profile of an application mostly shows: small functions that call each other, short-lived
 * objects, strings.
 */

interface Word {
  readonly text: string;
  readonly weight: number;
}

/** Takes about three milliseconds for 40 rounds. Returns a line. */
export function scriptWork(rounds: number): string {
  let sum = 0;
  for (let round = 0; round < rounds; round++) sum = (sum + weigh(sortWords(makeWords(round)))) % 1_000_003;
  return `${sum}\n`;
}

function makeWords(round: number): Word[] {
  const words: Word[] = [];
  for (let i = 0; i < 100; i++) words.push(makeWord(round, i));
  return words;
}

function makeWord(round: number, number: number): Word {
  const text = `word-${(round * 31 + number * 17) % 1_000}`;
  return { text, weight: text.length * number };
}

function sortWords(words: readonly Word[]): Word[] {
  return [...words].sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : a.weight - b.weight));
}

function weigh(words: readonly Word[]): number {
  return words.reduce((sum, { weight }, index) => sum + weight * index, 0);
}
