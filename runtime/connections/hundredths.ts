/**
 * Small numbers as text, to two digits after the point. V8 takes several times as long to write a fraction, and
 * joined texts must be flattened before they are sent. So the texts of most durations of requests are kept.
 */

/** Texts of less than ten are kept, once they have been needed. */
const KEPT = 1_000;
const kept: string[] = new Array<string>(KEPT).fill('');

/** @param value less than 0 counts as 0 */
export function hundredths(value: number): string {
  const count = Math.max(0, Math.round(value * 100));
  if (count >= KEPT) return textOf(count);
  const known = kept[count] as string;
  if (known !== '') return known;
  const text = textOf(count);
  kept[count] = text;
  return text;
}

function textOf(count: number): string {
  const whole = Math.trunc(count / 100);
  const rest = count - whole * 100;
  if (rest === 0) return `${whole}`;
  return rest % 10 === 0 ? `${whole}.${rest / 10}` : `${whole}.${rest < 10 ? '0' : ''}${rest}`;
}
