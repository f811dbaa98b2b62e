/**
 * The gallery's application on a complete server, and a client that uses every feature of an exchange and
 * observes it from outside.
 */
import { type IncomingMessage, request as request1 } from 'node:http';
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { ACCOUNT, ORIGIN } from '../../apps/middleware/catalogue.ts';
import type { Report } from '../../apps/middleware/innermost.ts';
import { type FileScope, startServer, type TestServer } from '../server/harness.ts';
import { connectHttp2 } from '../server/http2-client.ts';

export type Version = '1.1' | '2';
export type Headers = { readonly [name: string]: string };

export interface GalleryServer extends TestServer {
  readonly scope: FileScope;
}

export async function startGallery(scope: FileScope): Promise<GalleryServer> {
  const application = fileURLToPath(new URL('../../apps/middleware/app.ts', import.meta.url));
  const server = await startServer(scope, {
    pools: { middleware: { application, threads: { min: 1, max: 1 } } },
    routes: [{ path: '/*', pool: 'middleware', websocket: true }],
  });
  return { ...server, scope };
}

/** Credentials that satisfy every layer. */
export const CREDENTIALS: Headers = {
  authorization: `Basic ${btoa(`${ACCOUNT.name}:${ACCOUNT.password}`)}`,
  origin: ORIGIN,
  'accept-encoding': 'gzip',
};
const CHUNKED = { 'transfer-encoding': 'chunked' };
export const RUN = '/middleware/run';

export interface Asked {
  readonly version: Version;
  readonly stack: readonly string[];
  /** Below `/middleware/run`; default `/under/page`. */
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Headers;
  readonly body?: string | Uint8Array;
  /** The body is sent when the first line of the response has arrived, and not earlier. */
  readonly isInteractive?: boolean;
}

export interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  /** `Link` of interim responses. */
  readonly links: readonly string[];
  /** The promised responses, by path. */
  readonly pushed: ReadonlyMap<string, { readonly headers: IncomingHttpHeaders; readonly text: string }>;
  /** After its content coding is removed. */
  readonly text: string;
  readonly how: 'whole' | 'cut';
}

/** Names the cell that hangs. */
const PATIENCE_MS = 20_000;

export function exchange(server: GalleryServer, asked: Asked): Promise<Got> {
  const got = asked.version === '2' ? overHttp2(server, asked) : overHttp1(server, asked);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const what = `expected an answer through ${asked.stack.join(', ')} over HTTP/${asked.version}`;
    timer = setTimeout(() => reject(new Error(what)), PATIENCE_MS);
  });
  return Promise.race([got, late]).finally(() => clearTimeout(timer));
}

function headersOf({ stack, headers }: Asked): Record<string, string> {
  return { ...CREDENTIALS, 'x-stack': stack.join(','), te: 'trailers', ...headers };
}

async function overHttp2(server: GalleryServer, asked: Asked): Promise<Got> {
  const session = await connectHttp2(server.scope, server.origin);
  const pushed = new Map<string, { headers: IncomingHttpHeaders; text: string }>();
  const pushes: Promise<void>[] = [];
  session.on('stream', (stream: ClientHttp2Stream, request: IncomingHttpHeaders) => {
    const took = Promise.withResolvers<void>();
    pushes.push(took.promise);
    const kept = { headers: {} as IncomingHttpHeaders, text: '' };
    stream.on('push', (headers: IncomingHttpHeaders) => {
      kept.headers = headers;
    });
    stream.on('data', (piece: Buffer) => {
      kept.text += piece;
    });
    stream.on('error', () => undefined);
    stream.on('close', () => {
      pushed.set(String(request[':path']), kept);
      took.resolve();
    });
  });
  const { method = 'GET', path = '/under/page', body, isInteractive = false } = asked;
  const stream = session.request(
    { ':method': method, ':path': `${RUN}${path}`, ...headersOf(asked) },
    { endStream: body === undefined },
  );
  if (!isInteractive && body !== undefined) stream.end(body);
  const links: string[] = [];
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  let how: Got['how'] = 'whole';
  stream.on('headers', (fields) => links.push(...[fields.link ?? []].flat()));
  stream.on('trailers', (fields) => {
    trailers = fields;
  });
  for (const event of ['error', 'aborted']) {
    stream.on(event, () => {
      how = 'cut';
    });
  }
  const closed = new Promise<void>((resolve) => stream.on('close', () => resolve()));
  const text = await new Promise<string>((resolve) => {
    stream.on('response', (fields) => {
      headers = fields;
      resolve(
        textOf(stream, String(fields['content-encoding'] ?? ''), () => {
          if (isInteractive) stream.end(body);
        }),
      );
    });
    stream.on('close', () => resolve(''));
  });
  await closed;
  await Promise.all(pushes);
  session.destroy();
  return { status: Number(headers[':status'] ?? 0), headers, trailers, links, pushed, text, how };
}

async function overHttp1(server: GalleryServer, asked: Asked): Promise<Got> {
  const { method = 'GET', path = '/under/page', body, isInteractive = false } = asked;
  const outgoing = request1(`${server.origin}${RUN}${path}`, {
    method,
    headers: {
      ...headersOf(asked),
      ...(body !== undefined && !asked.headers?.['content-length'] && CHUNKED),
    },
    agent: false,
  });
  const links: string[] = [];
  outgoing.on('information', ({ headers }) => links.push(...[headers.link ?? []].flat()));
  const arrived = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
  });
  if (isInteractive) outgoing.flushHeaders();
  else outgoing.end(body);
  const response = await arrived.catch((error: NodeJS.ErrnoException) => {
    // The response was cut off before any of it arrived.
    if (error.code !== 'ECONNRESET') throw error;
    return null;
  });
  if (response === null)
    return { status: 0, headers: {}, trailers: {}, links, pushed: new Map(), text: '', how: 'cut' };
  const { headers, statusCode: status = 0 } = response;
  const text = await textOf(response, headers['content-encoding'] ?? '', () => {
    if (isInteractive) outgoing.end(body);
  });
  outgoing.destroy();
  const how = response.complete ? 'whole' : 'cut';
  return { status, headers, trailers: response.trailers, links, pushed: new Map(), text, how };
}

/** @param onLine is called once, when the first line is complete */
async function textOf(content: Readable, coding: string, onLine: () => void): Promise<string> {
  const decoder = coding === 'gzip' ? createGunzip() : coding === 'br' ? createBrotliDecompress() : null;
  content.on('error', (error) => decoder?.destroy(error));
  content.on('aborted', () => decoder?.destroy());
  const decoded = decoder === null ? content : content.pipe(decoder);
  const pieces: Buffer[] = [];
  let state: 'first line' | 'behind it' = 'first line';
  try {
    for await (const piece of decoded) {
      pieces.push(piece);
      if (state === 'first line' && piece.includes('\n')) {
        state = 'behind it';
        onLine();
      }
    }
  } catch {
    // The result has what arrived before the response was cut off; `how` says that it was.
  }
  return Buffer.concat(pieces).toString();
}

export function reportOf(text: string): Report {
  return JSON.parse(text.slice(0, text.indexOf('\n') + 1 || undefined));
}
