/** The head of a node:http or node:http2 request, in the form of the native interface. */
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { ReceivedFields } from '../../fields/received.ts';
import type { ExchangeRequest, Fields, Priority, RemoteAddress, TlsConnection } from '../../gateway.ts';

/** Fields that the native interface leaves out: those of the connection, and those that it tells in another way (docs/sgi.md, rule 3.2). */
const LEFT_OUT = new Set([
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
/** The usual values of Connection, which name no field. */
const LIFETIMES: ReadonlySet<string> = new Set(['keep-alive', 'close', 'Keep-Alive', 'Close']);
const DEFAULT_PRIORITY: Priority = Object.freeze({ urgency: 3, incremental: false });

export class RequestOverNode implements ExchangeRequest {
  readonly method: string;
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly protocol = '';
  readonly version: string;
  readonly priority = DEFAULT_PRIORITY;
  readonly #req: IncomingMessage | Http2ServerRequest;
  #fields: Fields | null = null;

  constructor(req: IncomingMessage | Http2ServerRequest) {
    this.#req = req;
    this.method = req.method ?? 'GET';
    this.scheme = 'scheme' in req ? req.scheme : this.#socket.encrypted ? 'https' : 'http';
    const authority = req.headers[':authority'] ?? req.headers.host ?? '';
    this.authority = String(authority);
    this.path = req.url ?? '/';
    this.version = req.httpVersionMajor === 2 ? '2' : req.httpVersion;
  }

  /** node:http2 gives a proxy of the socket, which can be read. */
  get #socket(): TLSSocket {
    return this.#req.socket as TLSSocket;
  }

  get fields(): Fields {
    if (this.#fields === null) {
      const { rawHeaders, headers } = this.#req;
      const named = namedBy(headers.connection);
      const flat: string[] = [];
      for (let i = 0; i < rawHeaders.length; i += 2) {
        const name = rawHeaders[i].toLowerCase();
        if (!LEFT_OUT.has(name) && !named.has(name) && name[0] !== ':') flat.push(name, rawHeaders[i + 1]);
      }
      this.#fields = new ReceivedFields(flat);
    }
    return this.#fields;
  }

  get remote(): RemoteAddress {
    const { remoteAddress = '', remotePort = 0 } = this.#socket;
    return { address: remoteAddress, port: remotePort };
  }

  get tls(): TlsConnection | null {
    const socket = this.#socket;
    if (!socket.encrypted) return null;
    const certificate = socket.getPeerCertificate();
    const isShown = certificate !== null && certificate.raw !== undefined;
    return {
      version: socket.getProtocol() ?? '',
      cipher: socket.getCipher()?.standardName ?? '',
      alpn: socket.alpnProtocol || null,
      servername: (socket as { servername?: string | false }).servername || null,
      authorized: socket.authorized,
      clientCertificate: isShown
        ? {
            subject: linesOf(certificate.subject),
            issuer: linesOf(certificate.issuer),
            fingerprint256: certificate.fingerprint256,
            raw: certificate.raw,
            pem: `-----BEGIN CERTIFICATE-----\n${certificate.raw.toString('base64').replace(/(.{64})(?!$)/g, '$1\n')}\n-----END CERTIFICATE-----\n`,
          }
        : null,
    };
  }
}

const NOTHING: ReadonlySet<string> = new Set();

/** Fields that Connection names, which concern this connection alone (RFC 9110 section 7.6.1). */
function namedBy(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined || LIFETIMES.has(connection)) return NOTHING;
  return new Set(connection.split(',').map((name) => name.trim().toLowerCase()));
}

function linesOf(name: object): string {
  return Object.entries(name)
    .flatMap(([attribute, value]) => [value].flat().map((one) => `${attribute}=${one}`))
    .join('\n');
}
