/** The parts of a request's head that concern the server itself, and what logs show of it. */
import type { Particulars } from '../pools/job.ts';

/** The peer chose these texts, within limits that are too large for log lines. */
const MOST_NAMED_CHARS = 256;

export interface Head {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly string[];
  /** Empty: it has none. */
  readonly requestId: string;
}

/** True if the head announces more content than the limit. */
export function announcesMoreThan(bytes: number, { fields }: Head): boolean {
  if (bytes === Infinity) return false;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === 'content-length') return Number(fields[i + 1]) > bytes;
  }
  return false;
}

/** A member of a list, which may have empty ones (RFC 9110 section 5.6.1.2). */
const CONTINUE = /(?:^|,)[\t ]*100-continue[\t ]*(?:,|$)/i;

/**
 * True if the client holds the content back until the server says that it will be read (RFC 9110 section
 * 10.1.1).
 */
export function expectsContinue({ fields }: Head): boolean {
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === 'expect' && CONTINUE.test(fields[i + 1] as string)) return true;
  }
  return false;
}

/** The path without its query, which often contains secrets and is seldom useful. */
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
