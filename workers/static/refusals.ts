/** Responses without a file. They say what the status says and reveal nothing about the disk. */
import type { Exchange } from '../gateway.ts';

const TEXT = 'text/plain; charset=utf-8';

/** RFC 9110 section 15. */
const REASONS = {
  301: 'Moved Permanently',
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  412: 'Precondition Failed',
  416: 'Range Not Satisfiable',
  503: 'Service Unavailable',
} as const;
type Refusal = Exclude<keyof typeof REASONS, 301>;

export function refuse(
  exchange: Exchange,
  status: Refusal,
  fields: { readonly [name: string]: string } = {},
): void {
  exchange.respond(status, { ...fields, 'content-type': TEXT }, `${status} ${REASONS[status]}\n`);
}

/**
 * Redirects a request for a directory without the slash that its relative links need. The reference is
 * relative too (RFC 9110 section 10.2.2): a path such as `//elsewhere` cannot put a host into it, and it is
 * valid behind a proxy that removes a prefix. The dot keeps a colon in the name from being read as a scheme
 * (RFC 3986 section 4.2).
 */
export function redirectToDirectory(exchange: Exchange, name: string, query: string): void {
  const location = `./${encodeURIComponent(name)}/${/^[\x21-\x7e]*$/.test(query) ? query : ''}`;
  exchange.respond(301, { location, 'content-type': TEXT }, `301 ${REASONS[301]}\n`);
}
