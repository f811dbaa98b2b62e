/** What the application is told of a connection's TLS, as the text that OPEN carries. */
import type { TLSSocket } from 'node:tls';

/**
 * Made once for a connection: version, cipher, ALPN's choice, server name, whether the client is authorized, and its
 * certificate as DER in base64. The application's side of this is `HostedTls`.
 * @returns null when the client's certificate is larger than the limit
 */
export function describeTls(socket: TLSSocket, maxClientCertificateBytes: number): string | null {
  const certificate = socket.getPeerX509Certificate()?.raw;
  if (certificate !== undefined && certificate.length > maxClientCertificateBytes) return null;
  return JSON.stringify([
    socket.getProtocol(),
    socket.getCipher().standardName,
    socket.alpnProtocol || null,
    socket.servername || null,
    socket.authorized,
    certificate === undefined ? null : certificate.toString('base64'),
  ]);
}
