/**
 * The TLS of a connection as the application sees it. The reactor describes a connection once
 * (`describeTls`), as the JSON text that every OPEN of the connection carries. The text is parsed when an
 * application first asks.
 */
import type { X509Certificate } from 'node:crypto';
import type { ClientCertificate, TlsConnection } from '../gateway.ts';

/** Version, cipher, ALPN protocol, server name, authorized, and the client's certificate as DER in base64. */
type TlsFacts = readonly [string, string, string | null, string | null, boolean, string | null];

export class HostedTls implements TlsConnection {
  readonly version: string;
  readonly cipher: string;
  readonly alpn: string | null;
  readonly servername: string | null;
  readonly authorized: boolean;
  readonly clientCertificate: ClientCertificate | null;

  constructor(text: string) {
    const [version, cipher, alpn, servername, authorized, certificate] = JSON.parse(text) as TlsFacts;
    this.version = version;
    this.cipher = cipher;
    this.alpn = alpn;
    this.servername = servername;
    this.authorized = authorized;
    this.clientCertificate = certificate === null ? null : new HostedClientCertificate(certificate);
  }
}

class HostedClientCertificate implements ClientCertificate {
  readonly raw: Uint8Array;
  #parsed: X509Certificate | null = null;

  constructor(base64: string) {
    this.raw = Buffer.from(base64, 'base64');
  }

  get #certificate(): X509Certificate {
    this.#parsed ??= new (process.getBuiltinModule('node:crypto').X509Certificate)(this.raw);
    return this.#parsed;
  }

  get subject(): string {
    return this.#certificate.subject;
  }

  get issuer(): string {
    return this.#certificate.issuer;
  }

  get fingerprint256(): string {
    return this.#certificate.fingerprint256;
  }

  get pem(): string {
    return this.#certificate.toString();
  }
}
