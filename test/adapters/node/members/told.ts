/** What there is of an object for whoever looks at it: its public members, each told in a word. */

export type Told = { readonly [member: string]: string };

/** Own and inherited, but for what begins with an underscore and what every object has. */
export function namesOf(object: object): string[] {
  const names = new Set<string>();
  for (let at = object; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      if (name[0] !== '_' && name !== 'constructor') names.add(name);
    }
  }
  return [...names].sort();
}

export function tell(object: object): Told {
  const told = namesOf(object).map((name) => [name, inAWord(object, name)]);
  return Object.fromEntries(told);
}

/** Of values that no two requests have alike, the kind. */
function inAWord(object: object, name: string): string {
  let value: unknown;
  try {
    value = (object as { readonly [name: string]: unknown })[name];
  } catch (error) {
    return `throws ${(error as { code?: string }).code}`;
  }
  if (value === null || typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'array' : typeof value;
}
