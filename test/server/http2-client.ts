/** A client by Node's own HTTP/2: an implementation that is not ours. */

import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionOptions,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import type { Scope } from './harness.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders;
  /** Statuses and fields of interim responses, in order. */
  readonly interim: readonly IncomingHttpHeaders[];
  /** The code of a RST_STREAM that ended the stream; 0 when there was none. */
  readonly resetCode: number;
  /** `cut`: the stream or its connection ended before the message did. */
  readonly how: 'whole' | 'cut';
}

export async function connectHttp2(
  scope: Scope,
  origin: string,
  options: ClientSessionOptions | SecureClientSessionOptions = {},
): Promise<ClientHttp2Session> {
  // By default Node's client refuses a response while it holds 10 MB of a request's body itself.
  const session = connect(origin, { maxSessionMemory: 64, ...options });
  // What goes wrong with a connection is seen at its streams.
  session.on('error', () => undefined);
  scope.teardown(() => session.destroy());
  await once(session, 'connect');
  return session;
}

/** Sends a request, with its whole body if it has one, and gives what came back when the stream is over. */
export function request(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: Uint8Array | string,
): Promise<Answer> {
  const stream = session.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  return answer(stream);
}

/** What comes back on a stream, when the stream is over. Never rejects: a reset is an answer too. */
export function answer(stream: ClientHttp2Stream): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const pieces: Buffer[] = [];
  const interim: IncomingHttpHeaders[] = [];
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on('headers', (fields) => interim.push(fields));
  stream.on('response', (fields) => {
    headers = fields;
  });
  stream.on('trailers', (fields) => {
    trailers = fields;
  });
  let ended = false;
  let cut = false;
  stream.on('end', () => {
    ended = true;
  });
  // Node ends the stream like a whole one when the connection closes under it; this tells them apart.
  stream.on('aborted', () => {
    cut = true;
  });
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  stream.on('error', () => {
    cut = true;
  });
  stream.on('close', () => {
    const status = Number(headers[':status'] ?? 0);
    const how = ended && !cut ? 'whole' : 'cut';
    resolve({
      status,
      headers,
      body: Buffer.concat(pieces),
      trailers,
      interim,
      resetCode: stream.rstCode,
      how,
    });
  });
  return promise;
}
