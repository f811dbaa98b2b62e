/**
 * What is known about a connection before its first request. It is the same for all its requests, so it is
 * made once.
 */

/** What the connection itself says about its other end. */
export interface Nearest {
  readonly address: string;
  readonly port: number;
  readonly scheme: 'http' | 'https';
}

/** Whom a request comes from, and for whom it is. */
export interface Client extends Nearest {
  readonly authority: string;
}

/** Reads what trusted proxies say about their clients. */
export interface ClientFinder {
  /**
   * @param fields of the request, names and values in turn
   * @returns null if the proxies' information is ambiguous
   */
  clientOf(peer: Nearest, authority: string, fields: readonly string[]): Client | null;
}

/** Its address and port are the client's, according to the connection or to a PROXY protocol header at its start. */
export interface Peer extends Nearest {
  /** The text for `request.tls` that OPEN carries; empty for cleartext. */
  readonly tls: string;
  /**
   * For a trusted proxy: reads what it says about its client. Null for all others, whose information is
   * ignored.
   */
  readonly forwarding: ClientFinder | null;
  /** False for TLS that HTTP/2 must not run over (RFC 9113 section 9.2). */
  readonly allowsHttp2: boolean;
}
