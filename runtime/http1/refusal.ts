/**
 * The engine's own responses to input that is no request or that it refuses. The connection ends after them.
 */
import { reasonOf } from './reasons.ts';

export interface Refusal {
  readonly status: number;
  /** The reason, for the person who reads the response; empty if it should not be disclosed. */
  readonly why: string;
}

/**
 * The complete response: RFC 9112 section 2.2 asks for a 400 and the end of the connection.
 * @param method of the request that it answers, if known: a response to HEAD has no content (RFC 9110 section
 * 9.3.2)
 */
export function refusalMessage({ status, why }: Refusal, date: string, method = ''): string {
  const reason = reasonOf(status);
  const body = `${status} ${reason}${why === '' ? '' : `: ${why}`}\n`;
  return [
    `HTTP/1.1 ${status} ${reason}`,
    `date: ${date}`,
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    method === 'HEAD' ? '' : body,
  ].join('\r\n');
}
