/** A client by Node's own HTTP/1.1. */
import { type Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request as send } from 'node:http';

export interface Http1Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly trailers: NodeJS.Dict<string>;
  readonly interim: readonly number[];
  /** `cut`: the connection ended before the message did. */
  readonly how: 'whole' | 'cut';
}

export interface Http1Request {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Uint8Array | string;
  readonly trailers?: OutgoingHttpHeaders;
  readonly agent?: Agent;
}

/** Sends a request and gives what came back; rejects only when no response began. */
export function requestHttp1(
  url: string,
  { method = 'GET', headers = {}, body, trailers, agent }: Http1Request = {},
): Promise<Http1Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Http1Answer>();
  const outgoing = send(url, { method, headers, ...(agent === undefined ? { agent: false } : { agent }) });
  const interim: number[] = [];
  outgoing.on('information', ({ statusCode }) => interim.push(statusCode));
  outgoing.on('error', reject);
  outgoing.on('response', (response) => {
    const pieces: Buffer[] = [];
    response.on('data', (piece: Buffer) => pieces.push(piece));
    response.on('error', () => undefined);
    response.on('close', () => {
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        rawHeaders: response.rawHeaders,
        body: Buffer.concat(pieces),
        trailers: response.trailers,
        interim,
        how: response.complete ? 'whole' : 'cut',
      });
    });
  });
  if (trailers !== undefined) {
    outgoing.write(body ?? '');
    outgoing.addTrailers(trailers);
    outgoing.end();
  } else {
    outgoing.end(body);
  }
  return promise;
}
