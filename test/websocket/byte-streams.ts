/** Ways to get a byte stream to the server: Upgrade or CONNECT over HTTP/1.1, CONNECT over HTTP/2. */
import { type IncomingMessage, request } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import type { Scope } from '../server/harness.ts';
import { connectHttp2 } from '../server/http2-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import type { SocketServer } from './server.ts';

export interface Accepted {
  readonly status: number;
  readonly fields: { readonly [name: string]: string | string[] | undefined };
  readonly stream: Duplex;
  /** HTTP/2: the code of the RST_STREAM that ended the stream; null over HTTP/1.1, which has none. */
  resetCode(): number | null;
  /** Cuts the stream off, as a failing peer does. */
  cut(): void;
}

/** The server sent an ordinary response instead. */
export class RefusedError extends Error {
  readonly status: number;
  readonly fields: Accepted['fields'];
  readonly body: string;

  constructor(status: number, fields: Accepted['fields'], body: string) {
    super(`refused with ${status}`);
    this.status = status;
    this.fields = fields;
    this.body = body;
  }
}

export type Fields = { readonly [name: string]: string | readonly string[] };

/** How byte streams are opened over one HTTP version. */
export interface Way {
  readonly version: '1.1' | '2';
  /** A WebSocket handshake; `fields` are added to the required ones or replace them. */
  webSocket(scope: Scope, server: SocketServer, path: string, fields?: Fields): Promise<Accepted>;
  /** CONNECT to an authority. */
  connect(scope: Scope, server: SocketServer, authority: string, fields?: Fields): Promise<Accepted>;
}

const VERSION = { 'sec-websocket-version': '13' };
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

export const http1: Way = {
  version: '1.1',
  webSocket: (scope, server, path, fields) =>
    upgrade(scope, server, 'GET', path, {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': KEY,
      ...VERSION,
      ...fields,
    }),
  connect: (scope, server, authority, fields = {}) => upgrade(scope, server, 'CONNECT', authority, fields),
};

function upgrade(
  scope: Scope,
  server: SocketServer,
  method: string,
  path: string,
  fields: Fields,
): Promise<Accepted> {
  const { promise, resolve, reject } = Promise.withResolvers<Accepted>();
  const headers = { [SIGNALS_FIELD]: server.signals.name, ...fields };
  // Otherwise Node's client would end its side of a tunnel together with the server's.
  const address = { port: server.port, host: '127.0.0.1' };
  const createConnection = () => connect({ ...address, allowHalfOpen: true });
  const outgoing = request({ ...address, method, path, headers, createConnection });
  outgoing.on('error', reject);
  const refuse = (status: number, fields: Accepted['fields'], content: Readable): void => {
    const pieces: Buffer[] = [];
    content.on('data', (piece: Buffer) => pieces.push(piece));
    content.on('error', reject);
    content.on('end', () => reject(new RefusedError(status, fields, Buffer.concat(pieces).toString())));
  };
  outgoing.on('response', (response) => refuse(response.statusCode ?? 0, response.headers, response));
  const onOpen = (
    { statusCode: status = 0, headers }: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): void => {
    scope.teardown(() => socket.destroy());
    socket.on('error', () => undefined);
    if (head.length > 0) socket.unshift(head);
    // Node's client treats any response to a CONNECT as an open tunnel.
    if (status >= 300) refuse(status, headers, socket);
    else
      resolve({
        status,
        fields: headers,
        stream: socket,
        resetCode: () => null,
        cut: () => void (socket as Socket).resetAndDestroy(),
      });
  };
  outgoing.on('upgrade', onOpen);
  outgoing.on('connect', onOpen);
  outgoing.end();
  return promise;
}

const sessions = new WeakMap<SocketServer, Promise<ClientHttp2Session>>();

/** One connection to a server, shared by the streams of many tests. */
async function sessionTo(server: SocketServer): Promise<ClientHttp2Session> {
  const known = await sessions.get(server)?.catch(() => undefined);
  if (known !== undefined && !known.closed && !known.destroyed) return known;
  const session = connectHttp2(server.scope, server.origin).then(async (connected) => {
    // RFC 8441 section 3: not before the server has announced it.
    if (!connected.remoteSettings.enableConnectProtocol) {
      await new Promise((resolve) => connected.once('remoteSettings', resolve));
    }
    return connected;
  });
  sessions.set(server, session);
  return session;
}

export const http2: Way = {
  version: '2',
  webSocket: async (scope, server, path, fields = {}) => {
    const session = await sessionTo(server);
    return open(scope, session, {
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'http',
      ':path': path,
      ':authority': `127.0.0.1:${server.port}`,
      [SIGNALS_FIELD]: server.signals.name,
      ...VERSION,
      ...fields,
    });
  },
  connect: async (scope, server, authority, fields = {}) => {
    const session = await sessionTo(server);
    return open(scope, session, {
      ':method': 'CONNECT',
      ':authority': authority,
      [SIGNALS_FIELD]: server.signals.name,
      ...fields,
    });
  },
};

function open(scope: Scope, session: ClientHttp2Session, headers: Fields): Promise<Accepted> {
  const { promise, resolve, reject } = Promise.withResolvers<Accepted>();
  const stream = session.request(headers as Record<string, string>, { endStream: false });
  scope.teardown(() => stream.destroy());
  stream.on('error', () => undefined);
  stream.on('response', (fields) => {
    const status = Number(fields[':status']);
    const named = fields as Accepted['fields'];
    if (status === 200) {
      resolve({
        status,
        fields: named,
        stream,
        resetCode: () => stream.rstCode,
        // CANCEL: what a browser sends when a page is left.
        cut: () => stream.close(0x8),
      });
      return;
    }
    const pieces: Buffer[] = [];
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => reject(new RefusedError(status, named, Buffer.concat(pieces).toString())));
    stream.end();
  });
  stream.on('close', () => reject(new Error(`the stream closed without a response, code ${stream.rstCode}`)));
  return promise;
}

export const ways: readonly Way[] = [http1, http2];
