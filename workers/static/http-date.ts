/**
 * Dates in HTTP (RFC 9110 section 5.6.7). `Date.parse` accepts far more than the three forms, and an invalid
 * date must be ignored, not guessed.
 */

const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const LONG_DAY = '(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `(?<month>${MONTHS.join('|')})`;
const TIME = '(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)';

const FORMS = [
  // Sun, 06 Nov 1994 08:49:37 GMT
  new RegExp(`^${DAY}, (?<day>\\d\\d) ${MONTH} (?<year>\\d{4}) ${TIME} GMT$`),
  // Sunday, 06-Nov-94 08:49:37 GMT
  new RegExp(`^${LONG_DAY}, (?<day>\\d\\d)-${MONTH}-(?<year>\\d\\d) ${TIME} GMT$`),
  // Sun Nov  6 08:49:37 1994
  new RegExp(`^${DAY} ${MONTH} (?<day>\\d\\d| \\d) ${TIME} (?<year>\\d{4})$`),
];

/** Seconds since 1970, or null if the text is no HTTP-date. */
export function parseHttpDate(text: string, nowMs: number): number | null {
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups;
    if (parts === undefined) continue;
    const month = MONTHS.indexOf(parts.month as string);
    const [day, hour, minute, second] = [parts.day, parts.hour, parts.minute, parts.second].map(Number) as [
      number,
      number,
      number,
      number,
    ];
    // A leap second is written as 60 and equals the second after it.
    if (hour > 23 || minute > 59 || second > 60) return null;
    const year = fullYear(parts.year as string, nowMs);
    const date = new Date(0);
    date.setUTCFullYear(year, month, day);
    if (date.getUTCDate() !== day) return null;
    return date.setUTCHours(hour, minute, second) / 1000;
  }
  return null;
}

/** A year of two digits that seems to be more than 50 years ahead is in the past. */
function fullYear(text: string, nowMs: number): number {
  if (text.length === 4) return Number(text);
  const now = new Date(nowMs).getUTCFullYear();
  const year = now - (now % 100) + Number(text);
  return year > now + 50 ? year - 100 : year;
}

export function formatHttpDate(seconds: number): string {
  return new Date(seconds * 1000).toUTCString();
}
