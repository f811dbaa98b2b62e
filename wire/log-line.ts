/** A line of the log, one JSON object, for people: for the server's own lines and for what applications print in their threads. */

/** SGR codes; bright where a person should look. */
const levelColours: Readonly<Record<string, number>> = { warn: 33, error: 31, fatal: 91, info: 32 };
const dim = 2;

/**
 * One of pino's JSON lines for a person: `12:00:00.000 info  message key=value`, an error's stack below it.
 * The time is UTC, as in the JSON. Control characters are escaped: what a peer sent must not drive a terminal.
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
  // Below the line, where line breaks have room.
  const below: string[] = [];
  if (source !== undefined) below.push(String(source));
  if (err !== undefined) below.push(String(err?.stack ?? err?.message ?? JSON.stringify(err)));
  return [parts.join(' '), ...below.map((text) => printable(text).replace(/^/gm, '    '))].join('\n');
}

/** Strings bare where nothing can be mistaken; anything else as JSON. */
function quoted(value: unknown): string {
  return typeof value === 'string' && /^[\w.:/@*[\]+-]+$/.test(value) ? value : JSON.stringify(value);
}

function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
