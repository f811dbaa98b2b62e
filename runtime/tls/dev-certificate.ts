/**
 * A certificate for a developer's own machine: for localhost and its addresses, self-signed, made at start
 * and kept only in memory. The library that makes it is loaded here and only on demand, because loading takes
 * a third of a second.
 */
import { webcrypto, X509Certificate } from 'node:crypto';
import type { X509CertificateGenerator } from '@peculiar/x509';
import type { Certificate } from './certificate.ts';

/** The library's types are a browser's, which Node's own only resemble. */
type Arguments = Parameters<typeof X509CertificateGenerator.createSelfSigned>;

const days = 14;
const dayMs = 86_400_000;

export interface DevelopmentCertificate extends Certificate {
  /** SHA-256 of the certificate, as browsers show it. */
  readonly fingerprint256: string;
}

export async function makeDevelopmentCertificate(nowMs: number): Promise<DevelopmentCertificate> {
  // The library registers its parts with decorator metadata.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: 'CN=localhost, O=Sluice development certificate',
      // On a client whose clock is a little behind, the certificate must already be valid.
      notBefore: new Date(nowMs - dayMs),
      notAfter: new Date(nowMs + days * dayMs),
      signingAlgorithm: algorithm,
      keys: keys as Arguments[0]['keys'],
      extensions: [
        new x509.SubjectAlternativeNameExtension([
          { type: 'dns', value: 'localhost' },
          { type: 'ip', value: '127.0.0.1' },
          { type: 'ip', value: '::1' },
        ]),
        // No CA: telling a browser to trust it means trusting this certificate, and none that its key could
        // sign.
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ],
    },
    webcrypto as unknown as Arguments[1],
  );
  const cert = certificate.toString('pem');
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return {
    cert,
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----\n`,
    names: ['localhost'],
    warning: null,
    fingerprint256: new X509Certificate(cert).fingerprint256,
  };
}
