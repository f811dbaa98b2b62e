/**
 * A real client's view of a server, by `node:http2`: whether it responds, and whether correctly. No server is
 * measured before a sample of its responses has passed here.
 */

import { request as requestOverHttp1 } from 'node:http';
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import type { Program } from './processes.ts';

/** How often a starting server is tried: much finer than what is measured, without using up its CPU. */
const RETRY_MS = 5;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The HTTP versions that servers are tested with. */
export type Protocol = 'h2' | 'http/1.1';

/** As `request`, over cleartext HTTP/1.1, by `node:http`. */
function requestHttp1(
  origin: string,
  path: string,
  timeoutMs: number,
  requestBody?: Uint8Array,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = requestOverHttp1(
      `${origin}${path}`,
      { agent: false, timeout: timeoutMs, method: requestBody === undefined ? 'GET' : 'POST' },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          body += text;
        });
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      },
    );
    outgoing.once('timeout', () =>
      outgoing.destroy(new Error(`no answer to ${path} within ${timeoutMs} ms`)),
    );
    outgoing.once('error', reject);
    outgoing.end(requestBody);
  });
}

/** Sends one request on a connection of its own, a POST if it has a body, and returns the whole response. */
export async function request(
  origin: string,
  path: string,
  timeoutMs: number,
  requestBody?: Uint8Array,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  // Over TLS the server has a certificate that was made for this run and that no CA has signed.
  const session: ClientHttp2Session = connect(origin, { rejectUnauthorized: false });
  const timer = setTimeout(() => reject(new Error(`no answer to ${path} within ${timeoutMs} ms`)), timeoutMs);
  session.once('error', reject);
  session.once('close', () => reject(new Error(`the connection closed without an answer to ${path}`)));
  // Waits until the connection is open: a refused one would fail the stream with an error that hides the
  // reason.
  session.once('connect', () => {
    const stream = session.request({ ':path': path, ':method': requestBody === undefined ? 'GET' : 'POST' });
    if (requestBody !== undefined) stream.end(requestBody);
    stream.setEncoding('utf8');
    let headers: IncomingHttpHeaders = {};
    let body = '';
    stream.once('error', reject);
    stream.once('response', (received) => {
      headers = received;
    });
    stream.on('data', (text: string) => {
      body += text;
    });
    stream.once('end', () => resolve({ status: Number(headers[':status']), headers, body }));
  });
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    session.destroy();
  }
}

/**
 * Throws unless the response to a sample request is correct in status, type, length and every byte of its
 * body.
 */
export async function assertAnswer(
  origin: string,
  path: string,
  body: string,
  server: string,
  protocol: Protocol = 'h2',
  isTypeless = false,
): Promise<void> {
  const ask = protocol === 'h2' ? request : requestHttp1;
  const answer = await ask(origin, path, 10_000);
  const wrong: string[] = [];
  if (answer.status !== 200) wrong.push(`status ${answer.status}, expected 200`);
  if (answer.body !== body)
    wrong.push(`body ${JSON.stringify(answer.body)}, expected ${JSON.stringify(body)}`);
  const type = answer.headers['content-type'];
  if (!isTypeless && !type?.startsWith('text/plain')) wrong.push(`content-type ${type}, expected text/plain`);
  const length = answer.headers['content-length'];
  if (length !== String(Buffer.byteLength(body))) {
    wrong.push(`content-length ${length}, expected ${Buffer.byteLength(body)}`);
  }
  if (wrong.length > 0) throw new Error(`${server} answered ${path} wrongly: ${wrong.join('; ')}`);
}

/** Throws unless the server counts every byte of a small upload. */
export async function assertUploadCounted(
  origin: string,
  path: string,
  bytes: number,
  server: string,
  protocol: Protocol = 'h2',
): Promise<void> {
  const ask = protocol === 'h2' ? request : requestHttp1;
  const answer = await ask(origin, path, 10_000, new Uint8Array(bytes));
  if (answer.status !== 200 || answer.body !== `${bytes}\n`) {
    throw new Error(
      `${server} answered an upload of ${bytes} bytes with ${answer.status} ${JSON.stringify(answer.body)}`,
    );
  }
}

export interface FirstAnswerOptions {
  readonly program: Program;
  readonly origin: string;
  readonly path: string;
  /** The expected body; absent: any. */
  readonly body?: string;
  readonly timeoutMs: number;
  /** Default: h2. */
  readonly protocol?: Protocol;
}

/** Tries until the server responds with 200, and returns the time of that response as `performance.now()`. */
export async function firstAnswer(options: FirstAnswerOptions): Promise<number> {
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    options.program.assertAlive();
    try {
      const ask = options.protocol === 'http/1.1' ? requestHttp1 : request;
      const answer = await ask(options.origin, options.path, options.timeoutMs);
      if (answer.status === 200 && (options.body === undefined || answer.body === options.body)) {
        return performance.now();
      }
      throw new Error(`answered ${options.path} with ${answer.status}: ${answer.body.slice(0, 200)}`);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED')) throw error;
      if (performance.now() > deadline) {
        const last = options.program.output;
        throw new Error(`${options.program.name} did not start in ${options.timeoutMs} ms:\n${last}`, {
          cause: error,
        });
      }
    }
    await delay(RETRY_MS);
  }
}
