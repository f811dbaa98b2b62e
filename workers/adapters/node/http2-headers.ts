/** Headers and errors in the form of node:http2. */

/** An object, or a flat list of names and values. */
export type Http2Headers = { readonly [name: string]: unknown } | readonly unknown[];
export type Lines = readonly (readonly [name: string, value: unknown])[];

/** Makes an error with the code of node:http2. */
export function coded(code: string, message: string, Class: new (message: string) => Error = Error): Error {
  return Object.assign(new Class(message), { code });
}

export function statusOf(headers: Http2Headers, byDefault: number): number {
  return Math.trunc(Number(pseudoOf(headers, ':status') ?? byDefault));
}

export function pseudoOf(headers: Http2Headers, name: string): unknown {
  return entriesOf(headers).find(([each]) => each === name)?.[1];
}

/** The fields without pseudo-fields and without null or undefined values. */
export function linesOf(headers: Http2Headers): Lines {
  return entriesOf(headers).filter(
    ([name, value]) => name[0] !== ':' && value !== undefined && value !== null,
  );
}

function entriesOf(headers: Http2Headers): [name: string, value: unknown][] {
  // Node treats null as no headers.
  if (!Array.isArray(headers)) return Object.entries(headers ?? {});
  const entries: [string, unknown][] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) entries.push([String(headers[i]), headers[i + 1]]);
  return entries;
}
