/** Describes a connection's TLS for the application, as the text that OPEN carries. */
import type { TLSSocket } from 'node:tls';

/**
 * Made once per connection: version, cipher, ALPN's choice, server name, whether the client is authorized,
 * and its certificate as DER in base64. `HostedTls` reads it on the application's side.
 * @returns null if the client's certificate exceeds the limit
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
