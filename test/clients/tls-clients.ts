/** Clients that others wrote, brought to one shape: a request over TLS, and what they say came back. */
import { type ExecFileException, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { request as sendHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Agent, request as undiciRequest } from 'undici';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 8_000_000;

export interface Asked {
  readonly origin: string;
  readonly path: string;
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** A file with the content to send, and its bytes. */
  readonly upload?: { readonly file: string; readonly bytes: Buffer };
  /** The certificate authority, and a file with it. */
  readonly ca: string;
  readonly caFile: string;
}

export interface Got {
  readonly status: number;
  readonly body: string;
  /** Undefined: the client does not show them. */
  readonly interim?: readonly number[];
  readonly trailers?: Readonly<Record<string, unknown>>;
}

export interface Client {
  readonly version: '1.1' | '2';
  ask(asked: Asked): Promise<Got>;
}

/** By name. */
export const clients: { readonly [name: string]: Client } = {
  'curl --http1.1': { version: '1.1', ask: (asked) => curl('--http1.1', asked) },
  'curl --http2': { version: '2', ask: (asked) => curl('--http2', asked) },
  'undici over HTTP/1.1': { version: '1.1', ask: (asked) => undici(false, asked) },
  'undici over HTTP/2': { version: '2', ask: (asked) => undici(true, asked) },
  'node:https': { version: '1.1', ask: nodeHttps },
  'node:http2': { version: '2', ask: nodeHttp2 },
  nghttp: { version: '2', ask: nghttp },
  'openssl s_client': { version: '1.1', ask: openssl },
};

async function curl(version: string, { origin, path, method, upload, caFile }: Asked): Promise<Got> {
  const words = ['-sS', '--max-time', '30', version, '--cacert', caFile, '--write-out', '\n%{http_code}'];
  if (method === 'HEAD') words.push('--head', '--output', '/dev/null');
  if (upload !== undefined) words.push('--request', method, '--data-binary', `@${upload.file}`);
  const { stdout } = await run('curl', [...words, origin + path], { maxBuffer: MAX_OUTPUT_BYTES });
  const at = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(at + 1)), body: stdout.slice(0, at) };
}

async function undici(allowH2: boolean, { origin, path, method, upload, ca }: Asked): Promise<Got> {
  const dispatcher = new Agent({ allowH2, connect: { ca } });
  const interim: number[] = [];
  const response = await undiciRequest(origin + path, {
    dispatcher,
    method,
    body: upload?.bytes ?? null,
    onInfo: ({ statusCode }) => void interim.push(statusCode),
  });
  const body = await response.body.text();
  await dispatcher.close();
  // Its HTTP/2 shows neither.
  const more = allowH2 ? {} : { interim, trailers: response.trailers };
  return { status: response.statusCode, body, ...more };
}

async function nodeHttps({ origin, path, method, upload, ca }: Asked): Promise<Got> {
  const outgoing = sendHttps(origin + path, { method, ca, agent: false });
  const interim: number[] = [];
  outgoing.on('information', ({ statusCode }) => interim.push(statusCode));
  outgoing.end(upload?.bytes);
  const [response] = await once(outgoing, 'response');
  // The rest of an upload whose response has come may meet a closed connection.
  outgoing.on('error', () => undefined);
  const body = await text(response);
  return { status: response.statusCode, body, interim, trailers: response.trailers };
}

async function nodeHttp2({ origin, path, method, upload, ca }: Asked): Promise<Got> {
  const session = connectHttp2(origin, { ca });
  const stream = session.request({ ':path': path, ':method': method }, { endStream: upload === undefined });
  const interim: number[] = [];
  let trailers: Record<string, unknown> = {};
  stream.on('headers', (fields) => interim.push(Number(fields[':status'])));
  stream.on('trailers', (fields) => {
    trailers = fields;
  });
  if (upload !== undefined) stream.end(upload.bytes);
  const [fields] = await once(stream, 'response');
  const body = await text(stream);
  session.close();
  return { status: Number(fields[':status']), body, interim, trailers };
}

/** It tells the head beside the body only when it tells everything, so the body is asked for apart. */
async function nghttp({ origin, path, method, upload }: Asked): Promise<Got> {
  const words = ['--no-dep', '-H', `:method: ${method}`];
  if (upload !== undefined) words.push('-d', upload.file);
  const { stdout: body } = await run('nghttp', [...words, origin + path], { maxBuffer: MAX_OUTPUT_BYTES });
  const { stdout } = await run('nghttp', ['-nv', ...words, origin + path], { maxBuffer: MAX_OUTPUT_BYTES });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours, even into a pipe
  const told = stdout.replaceAll(/\x1b\[[\d;]*m/g, '');
  const statuses = [...told.matchAll(/recv \(stream_id=\d+\) :status: (\d+)/g)].map(([, code]) =>
    Number(code),
  );
  const trailers = Object.fromEntries(
    [...told.matchAll(/recv \(stream_id=\d+\) (x-checksum): (.*)/g)].map(([, name, value]) => [name, value]),
  );
  return { status: statuses.at(-1) ?? 0, body, interim: statuses.slice(0, -1), trailers };
}

/** No HTTP client: it carries a request that is typed in. */
async function openssl({ origin, path, method, upload, caFile }: Asked): Promise<Got> {
  const { host } = new URL(origin);
  const words = ['s_client', '-quiet', '-verify_return_error', '-servername', 'localhost'];
  const child = spawn('openssl', [...words, '-connect', host, '-CAfile', caFile, '-alpn', 'http/1.1']);
  const length = upload === undefined ? '' : `content-length: ${upload.bytes.length}\r\n`;
  child.stdin.on('error', (_error: ExecFileException) => {
    // It has ended first: its output says what came.
  });
  child.stdin.write(`${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n${length}\r\n`);
  if (upload !== undefined) child.stdin.write(upload.bytes);
  const answer = await text(child.stdout);
  child.kill();
  const heads: number[] = [];
  let rest = answer;
  for (;;) {
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(rest)?.[1]);
    heads.push(status);
    const end = rest.indexOf('\r\n\r\n') + 4;
    const head = rest.slice(0, end);
    rest = rest.slice(end);
    if (status >= 200) {
      const isChunked = /\r\ntransfer-encoding: chunked\r\n/i.test(head);
      return {
        status,
        interim: heads.slice(0, -1),
        ...(isChunked ? unchunked(rest) : { body: rest, trailers: {} }),
      };
    }
  }
}

function unchunked(content: string): Pick<Got, 'body' | 'trailers'> & { body: string } {
  let body = '';
  let at = 0;
  for (;;) {
    const end = content.indexOf('\r\n', at);
    const size = Number.parseInt(content.slice(at, end), 16);
    at = end + 2;
    if (!(size > 0)) break;
    body += content.slice(at, at + size);
    at += size + 2;
  }
  const lines = content
    .slice(at)
    .split('\r\n')
    .filter((line) => line !== '');
  return { body, trailers: Object.fromEntries(lines.map((line) => line.split(': '))) };
}
