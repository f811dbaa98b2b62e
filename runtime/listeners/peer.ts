/**
 * What is known about a connection before its first request. It is the same for all its requests, so it is
 * made once.
 */
import type { Forwarding } from './forwarding.ts';

export interface Peer {
  /**
   * The client's address and port, according to the connection or to a PROXY protocol header at its start.
   */
  readonly address: string;
  readonly port: number;
  readonly scheme: 'http' | 'https';
  /** The text for `request.tls` that OPEN carries; empty for cleartext. */
  readonly tls: string;
  /**
   * For a trusted proxy: reads what it says about its client. Null for all others, whose information is
   * ignored.
   */
  readonly forwarding: Forwarding | null;
  /** False for TLS that HTTP/2 must not run over (RFC 9113 section 9.2). */
  readonly allowsHttp2: boolean;
}
