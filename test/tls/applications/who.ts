/** Answers with what the request says of its connection. */
import type { Application } from '../../../workers/gateway.ts';

const application: Application = (exchange) => {
  const { scheme, authority, path, version, remote, tls, fields } = exchange.request;
  const certificate = tls?.clientCertificate ?? null;
  const seen = {
    scheme,
    authority,
    path,
    version,
    remote,
    forwardedFor: fields.all('x-forwarded-for'),
    tls: tls && {
      version: tls.version,
      cipher: tls.cipher,
      alpn: tls.alpn,
      servername: tls.servername,
      authorized: tls.authorized,
      clientCertificate: certificate && {
        subject: certificate.subject,
        issuer: certificate.issuer,
        fingerprint256: certificate.fingerprint256,
        rawBytes: certificate.raw.length,
        pem: certificate.pem,
      },
    },
  };
  exchange.respond(200, { 'content-type': 'application/json' }, JSON.stringify(seen));
};

export default application;
