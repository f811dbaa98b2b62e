/** Responses of the engine's own to what is not, or not to be, a request: the connection ends behind them. */
import { reasonOf } from './reasons.ts';

export interface Refusal {
  readonly status: number;
  /** What is wrong, for the person who reads the response; empty when that is nobody's business. */
  readonly why: string;
}

/**
 * The whole response: RFC 9112 section 2.2 asks for a 400 and an end.
 * @param method of the request that it answers, if that is known: HEAD has no content (RFC 9110 section 9.3.2)
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
