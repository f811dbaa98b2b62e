/**
 * Small numbers as text, to two digits after the point. V8 takes several times as long to write a fraction, and keeps the texts of small
 * integers.
 */

/** Of 0 to 99 hundredths: '', '.01' and so on. */
const FRACTIONS = Array.from({ length: 100 }, (_, count) => String(count / 100).slice(1));

/** @param value less than 0 counts as 0 */
export function hundredths(value: number): string {
  const count = Math.max(0, Math.round(value * 100));
  const whole = Math.trunc(count / 100);
  return whole + (FRACTIONS[count - whole * 100] as string);
}
