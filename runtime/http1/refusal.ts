/** Responses of the server's own to what is not, or not to be, a request: the connection ends behind them. */

export interface Refusal {
  readonly status: number;
  /** What is wrong, for the person who reads the response; empty when that is nobody's business. */
  readonly why: string;
}

export const REASONS: { readonly [status: number]: string } = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
  505: 'HTTP Version Not Supported',
};

export function refusalBody({ status, why }: Refusal): string {
  return `${status} ${REASONS[status] ?? 'Error'}${why === '' ? '' : `: ${why}`}\n`;
}

/** The whole response: RFC 9112 section 2.2 asks for a 400 and an end. */
export function refusalMessage(refusal: Refusal, date = new Date().toUTCString()): string {
  const body = refusalBody(refusal);
  return [
    `HTTP/1.1 ${refusal.status} ${REASONS[refusal.status] ?? 'Error'}`,
    `date: ${date}`,
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
