/** Header lines as text, which node:http and the listeners of upgrades write. */

/** The fields of lines such as `Name: value`, with names in lower case. Empty lines are left out. */
export function fieldsOf(lines: readonly string[]): [name: string, value: string][] {
  const fields: [string, string][] = [];
  for (const line of lines) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    fields.push([line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]);
  }
  return fields;
}
