/**
 * The error of an application that has returned without a complete response. What it returned may show which
 * kind of application it was meant to be.
 */

import { nameOf } from './values.ts';

export function incomplete(returned: unknown): Error {
  return new Error(
    `the application returned before its response was complete: expected respond() with a body ('' for none), or end()${hint(returned)}`,
  );
}

function hint(returned: unknown): string {
  if (returned === undefined) return '';
  if (typeof Response === 'function' && returned instanceof Response) {
    return "; it returned a Response: if it is a Fetch handler, say so with the pool's kind 'fetch'";
  }
  if (typeof (returned as AsyncIterable<unknown> | null)?.[Symbol.asyncIterator] === 'function') {
    return "; it returned an async iterator: if it makes generators, say so with the pool's kind 'generator'";
  }
  return `; it returned ${nameOf(returned)}, which is ignored`;
}
