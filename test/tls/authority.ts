/** A certificate authority for tests, and its files as an operator would store them. */
import { randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import type { Scope } from '../server/harness.ts';

const dayMs = 86_400_000;
const elliptic = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const rsa = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};
const provider = webcrypto as unknown as Crypto;

export interface Issued {
  readonly cert: string;
  readonly key: string;
  readonly fingerprint256: string;
}

export interface Wanted {
  readonly names?: readonly string[];
  readonly subject?: string;
  readonly validFromMs?: number;
  readonly validToMs?: number;
  readonly isRsa?: boolean;
  /** Bytes of an attribute whose only purpose is to make the certificate longer. */
  readonly paddingBytes?: number;
}

export class TestAuthority {
  readonly cert: string;
  readonly #keys: CryptoKeyPair;
  readonly #name: string;

  private constructor(cert: string, keys: CryptoKeyPair, name: string) {
    this.cert = cert;
    this.#keys = keys;
    this.#name = name;
  }

  static async create(commonName = 'Test CA'): Promise<TestAuthority> {
    const keys = await generateKeys(elliptic);
    const name = `CN=${commonName}`;
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
      {
        name,
        ...validity({}),
        signingAlgorithm: elliptic,
        keys,
        extensions: [
          new x509.BasicConstraintsExtension(true, 0, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        ],
      },
      provider,
    );
    return new TestAuthority(certificate.toString('pem'), keys, name);
  }

  async issue(wanted: Wanted): Promise<Issued> {
    const keys = await generateKeys(wanted.isRsa === true ? rsa : elliptic);
    const padding = wanted.paddingBytes === undefined ? '' : `, OU=${'x'.repeat(wanted.paddingBytes)}`;
    const names = (wanted.names ?? []).map((value) => ({ type: 'dns' as const, value }));
    const certificate = await x509.X509CertificateGenerator.create(
      {
        serialNumber: randomBytes(8).toString('hex'),
        subject: `CN=${wanted.subject ?? 'server'}${padding}`,
        issuer: this.#name,
        ...validity(wanted),
        signingAlgorithm: elliptic,
        publicKey: keys.publicKey,
        signingKey: this.#keys.privateKey,
        extensions: names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)],
      },
      provider,
    );
    const cert = certificate.toString('pem');
    const pkcs8 = Buffer.from(
      await webcrypto.subtle.exportKey('pkcs8', keys.privateKey as webcrypto.CryptoKey),
    );
    const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----\n`;
    return { cert: `${cert}\n`, key, fingerprint256: new X509Certificate(cert).fingerprint256 };
  }
}

async function generateKeys(algorithm: typeof elliptic | typeof rsa): Promise<CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, [
    'sign',
    'verify',
  ])) as unknown as CryptoKeyPair;
}

function validity({ validFromMs, validToMs }: Wanted): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(validFromMs ?? now - dayMs), notAfter: new Date(validToMs ?? now + dayMs) };
}

/** Files in a directory that is removed with the scope. */
export class TestFiles {
  readonly directory: string;

  constructor(scope: Scope) {
    this.directory = mkdtempSync(join(tmpdir(), 'sluice-tls-'));
    scope.teardown(() => rmSync(this.directory, { recursive: true }));
  }

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.directory, name);
    writeFileSync(path, content);
    return path;
  }

  /** An entry of `certificates`. */
  certificate(name: string, { cert, key }: Issued): { cert: string; key: string } {
    return { cert: this.write(`${name}.pem`, cert), key: this.write(`${name}.key`, key) };
  }
}
