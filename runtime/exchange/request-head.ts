/** What a request's head says to the server itself, and what people are told of it. */
import type { Particulars } from '../pools/job.ts';

/** A peer chose them, within limits that are not meant for log lines. */
const MOST_NAMED_CHARS = 256;

export interface Head {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly string[];
  /** Empty: it has none. */
  readonly requestId: string;
}

/** The head announces more content than that. */
export function announcesMoreThan(bytes: number, { fields }: Head): boolean {
  if (bytes === Infinity) return false;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === 'content-length') return Number(fields[i + 1]) > bytes;
  }
  return false;
}

/** The client holds the content back until it hears that somebody will read it (RFC 9110 section 10.1.1). */
export function expectsContinue({ fields }: Head): boolean {
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === 'expect' && (fields[i + 1] as string).toLowerCase() === '100-continue') return true;
  }
  return false;
}

/** Without the query, which is often a secret and seldom of use. */
export function labelOf({ method, path }: Head): string {
  const end = path.indexOf('?');
  return `${method} ${end === -1 ? path : path.slice(0, end)}`;
}

export function particularsOf({ method, path, requestId }: Head, route: string): Particulars {
  const end = path.indexOf('?');
  return {
    method: method.slice(0, MOST_NAMED_CHARS),
    route,
    path: path.slice(0, Math.min(end === -1 ? path.length : end, MOST_NAMED_CHARS)),
    ...(requestId !== '' && { requestId }),
  };
}
