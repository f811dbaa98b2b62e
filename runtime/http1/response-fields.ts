/** What RFC 9112 and Node ask of an application's response fields that HTTP/2 does not. */

import { plainName } from '../../wire/field-marks.ts';

/** How the response's content is delimited (RFC 9112 section 6.3). */
export type Framing = 'none' | 'length' | 'chunked' | 'connection';

/** Makes the fields fit the response, in place. */
export function responseFields(
  method: string,
  version: '1.1' | '1.0',
  status: number,
  fields: string[],
): Framing {
  for (let i = 0; i < fields.length; i += 2) fields[i] = plainName(fields[i]);
  // RFC 9110 section 8.6.
  if (status === 204) remove(fields, 'content-length');
  const framing = framingOf(method, version, status, fields);
  // RFC 9112 section 7.1.2: only chunked content has a trailer section to announce; Node throws where it has none.
  if (framing !== 'chunked') remove(fields, 'trailer');
  if (framing === 'length') putLengthLast(fields);
  return framing;
}

function framingOf(
  method: string,
  version: '1.1' | '1.0',
  status: number,
  fields: readonly string[],
): Framing {
  if (method === 'HEAD' || status === 204 || status === 304) return 'none';
  if (indexOf(fields, 'content-length') !== -1) return 'length';
  return version === '1.1' ? 'chunked' : 'connection';
}

/** Behind the length Node takes a Content-Disposition for UTF-8, and garbles what is not ASCII in it. */
function putLengthLast(fields: string[]): void {
  if (indexOf(fields, 'content-disposition') === -1) return;
  const length = fields[indexOf(fields, 'content-length') + 1] as string;
  remove(fields, 'content-length');
  fields.push('content-length', length);
}

function indexOf(fields: readonly string[], name: string): number {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return i;
  return -1;
}

function remove(fields: string[], name: string): void {
  for (let i = fields.length - 2; i >= 0; i -= 2) if (fields[i] === name) fields.splice(i, 2);
}
