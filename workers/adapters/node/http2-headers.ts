/** Headers and errors as node:http2 gives and takes them. */

/** An object, or names and values in turns. */
export type Http2Headers = { readonly [name: string]: unknown } | readonly unknown[];
export type Lines = readonly (readonly [name: string, value: unknown])[];

/** An error with the code that node:http2 has for it. */
export function coded(code: string, message: string, Class: new (message: string) => Error = Error): Error {
  return Object.assign(new Class(message), { code });
}

export function statusOf(headers: Http2Headers, byDefault: number): number {
  return Math.trunc(Number(pseudoOf(headers, ':status') ?? byDefault));
}

export function pseudoOf(headers: Http2Headers, name: string): unknown {
  return entriesOf(headers).find(([each]) => each === name)?.[1];
}

/** Without pseudo-fields, and without what has no value. */
export function linesOf(headers: Http2Headers): Lines {
  return entriesOf(headers).filter(
    ([name, value]) => name[0] !== ':' && value !== undefined && value !== null,
  );
}

function entriesOf(headers: Http2Headers): [name: string, value: unknown][] {
  // Node takes null for none.
  if (!Array.isArray(headers)) return Object.entries(headers ?? {});
  const entries: [string, unknown][] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) entries.push([String(headers[i]), headers[i + 1]]);
  return entries;
}
