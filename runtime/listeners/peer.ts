/** What is known of a connection before its first request. It is the same for all of them, so it is made once. */
import type { Forwarding } from './forwarding.ts';

export interface Peer {
  /** The client's address and port as far as the connection tells, or a PROXY protocol header at its start. */
  readonly address: string;
  readonly port: number;
  readonly scheme: 'http' | 'https';
  /** The text that OPEN carries for `request.tls`; empty for cleartext. */
  readonly tls: string;
  /** For a trusted proxy: reads what it says of its client. Null for all others, whose word means nothing. */
  readonly forwarding: Forwarding | null;
  /** False for TLS that HTTP/2 must not run over (RFC 9113 section 9.2). */
  readonly allowsHttp2: boolean;
}
