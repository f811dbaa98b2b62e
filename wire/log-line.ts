/**
 * Formats one line of the log, a JSON object, for people. Serves the server's own lines and those that
 * applications print in their threads.
 */

/** SGR codes; bright colours mark what a person should look at. */
const levelColours: Readonly<Record<string, number>> = { warn: 33, error: 31, fatal: 91, info: 32 };
const dim = 2;

/**
 * Formats one of pino's JSON lines as `12:00:00.000 info  message key=value`, with an error's stack below.
 * The time is UTC, as in the JSON. Control characters are escaped: text that a peer sent must not control a
 * terminal.
 */
export function formatLine(line: string, colour: boolean): string {
  const paint = (text: string, code: number) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  const { time, level, msg, pid: _pid, err, source, ...rest } = JSON.parse(line);
  const parts = [
    paint(String(time).slice(11, 23), dim),
    paint(String(level).padEnd(5), levelColours[level] ?? dim),
  ];
  if (msg !== undefined) parts.push(printable(String(msg)));
  for (const [key, value] of Object.entries(rest)) {
    parts.push(`${paint(`${key}=`, dim)}${printable(quoted(value))}`);
  }
  // These go below the line, where line breaks are readable.
  const below: string[] = [];
  if (source !== undefined) below.push(String(source));
  if (err !== undefined) below.push(String(err?.stack ?? err?.message ?? JSON.stringify(err)));
  return [parts.join(' '), ...below.map((text) => printable(text).replace(/^/gm, '    '))].join('\n');
}

/** A string that nothing can confuse stays bare; anything else is shown as JSON. */
function quoted(value: unknown): string {
  return typeof value === 'string' && /^[\w.:/@*[\]+-]+$/.test(value) ? value : JSON.stringify(value);
}

function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
