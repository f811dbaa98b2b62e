/** Which TLS parameters HTTP/2 may use. */
import type { TLSSocket } from 'node:tls';

/**
 * RFC 9113 appendix A lists nearly three hundred prohibited suites of TLS 1.2. They are all those whose key
 * exchange is not ephemeral or whose cipher is not an AEAD, so the few allowed ones are recognised by their
 * names.
 */
const allowedSuite =
  /^TLS_(?:EC)?DHE_(?:RSA|ECDSA|DSS|PSK)_WITH_(?:.*_(?:GCM|CCM)(?:_|$)|CHACHA20_POLY1305_)/;

/** RFC 9113 section 9.2: TLS 1.3 always, TLS 1.2 with some suites, nothing older. */
export function isAllowedForHttp2(socket: Pick<TLSSocket, 'getProtocol' | 'getCipher'>): boolean {
  const version = socket.getProtocol();
  if (version === 'TLSv1.3') return true;
  return version === 'TLSv1.2' && allowedSuite.test(socket.getCipher().standardName);
}
