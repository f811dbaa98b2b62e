/**
 * Responses that the server itself gives: the status and its name, or what a route has put in their place.
 */
import type { Explanation } from './contracts.ts';

const PLAIN_TEXT: readonly string[] = ['content-type', 'text/plain; charset=utf-8'];
const REASONS: { readonly [status: number]: string } = {
  200: 'OK',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** @param explain how the route writes such responses; absent: as plain text */
export function ownResponseOf(
  status: number,
  explain?: (status: number, reason: string) => Explanation,
): { readonly fields: readonly string[]; readonly content: Buffer } {
  const reason = REASONS[status] ?? 'Error';
  const { fields, text } = explain?.(status, reason) ?? { fields: PLAIN_TEXT, text: `${status} ${reason}\n` };
  const content = Buffer.from(text);
  return { fields: [...fields, 'content-length', String(content.length)], content };
}
