/**
 * Everything that a listener's TLS needs, read from its files and checked to fit together. It is made
 * completely or not at all, so the current material stays in force if the next one is faulty.
 */
import { constants, createHash, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { ConfigProblem } from '../config/errors.ts';
import type { TlsConfig } from '../config/listeners.ts';
import { type Certificate, readCertificate, readText } from './certificate.ts';
import { defaultCiphers, secureOptions } from './defaults.ts';
import type { ReadFile } from './files.ts';
import { invalid, reasonOf, refusedByOpenssl, type TlsWarning, unreadable } from './problems.ts';
import { ServerNames } from './server-names.ts';

export interface TlsMaterial {
  /** For the certificate that a client gets if it names no server, or an unknown one. */
  readonly defaults: SecureContextOptions;
  readonly names: ServerNames<SecureContext>;
  /** 48 bytes; null if each process makes its own. */
  readonly ticketKeys: Buffer | null;
  /** A digest of everything that was read: an equal one means that nothing has changed. */
  readonly digest: string;
  readonly warnings: readonly TlsWarning[];
}

export const ticketKeyBytes = 48;

/** Reads the files of one listener. Every fault is added to `problems`, and null is returned. */
export function readMaterial(
  config: TlsConfig,
  nowMs: number,
  read: ReadFile,
  problems: ConfigProblem[],
): TlsMaterial | null {
  const before = problems.length;
  const certificates: Certificate[] = [];
  for (const [index, entry] of config.certificates.entries()) {
    const where = `${config.where}.certificates[${index}]`;
    const certificate = readCertificate(entry, where, nowMs, read, problems);
    if (certificate !== null) certificates.push(certificate);
  }
  const authorities = readAuthorities(config, read, problems);
  const ticketKeys = readTicketKeys(config, read, problems);
  if (problems.length > before) return null;
  try {
    return assembleMaterial(config, certificates, authorities, ticketKeys);
  } catch (error) {
    // The certificates and keys are valid, so the fault is in the settings.
    problems.push(
      refusedByOpenssl(config.ciphers === null ? config.where : `${config.where}.ciphers`, error),
    );
    return null;
  }
}

/**
 * @param certificates at least one
 * @throws OpenSSL's objection to the settings
 */
export function assembleMaterial(
  config: TlsConfig,
  certificates: readonly Certificate[],
  authorities: readonly string[],
  ticketKeys: Buffer | null,
): TlsMaterial {
  const digest = createHash('sha256');
  for (const { cert, key } of certificates) digest.update(cert).update(key);
  for (const text of authorities) digest.update(text);
  if (ticketKeys !== null) digest.update(ticketKeys);
  const shared: SecureContextOptions = {
    minVersion: config.minVersion,
    maxVersion: config.maxVersion,
    ciphers: config.ciphers ?? defaultCiphers,
    honorCipherOrder: true,
    secureOptions:
      config.sessionLifetimeSeconds > 0 ? secureOptions : secureOptions | constants.SSL_OP_NO_TICKET,
    sessionIdContext: sessionIdContext(config, authorities),
    ...(authorities.length > 0 && { ca: [...authorities] }),
  };
  const names = new ServerNames<SecureContext>();
  for (const { cert, key, names: own } of certificates) {
    const context = createSecureContext({ ...shared, cert, key });
    for (const name of own) names.add(name, context);
  }
  const [{ cert, key }] = certificates;
  return {
    defaults: { ...shared, cert, key },
    names,
    ticketKeys,
    digest: digest.digest('hex'),
    warnings: certificates.flatMap(({ warning }) => warning ?? []),
  };
}

/**
 * A session may be resumed only where a full handshake would admit its client: with the same demands on
 * client certificates and the same CAs. OpenSSL compares at most 32 bytes of this.
 */
function sessionIdContext(
  { requestCert, rejectUnauthorized }: TlsConfig,
  authorities: readonly string[],
): string {
  const hash = createHash('sha256').update(`${requestCert} ${rejectUnauthorized}`);
  for (const text of authorities) hash.update(text);
  return hash.digest('hex').slice(0, 32);
}

function readAuthorities({ ca, where }: TlsConfig, read: ReadFile, problems: ConfigProblem[]): string[] {
  const texts: string[] = [];
  for (const [index, file] of ca.entries()) {
    const place = `${where}.ca[${index}]`;
    const expected = 'CA certificates in PEM';
    const text = readText(file, place, expected, read, problems);
    if (text === null) continue;
    try {
      for (const certificate of text.match(pemCertificate) ?? [text]) new X509Certificate(certificate);
      texts.push(text);
    } catch (error) {
      problems.push(invalid(place, expected, file, reasonOf(error)));
    }
  }
  return texts;
}

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function readTicketKeys(
  { ticketKeys, where }: TlsConfig,
  read: ReadFile,
  problems: ConfigProblem[],
): Buffer | null {
  if (ticketKeys === null) return null;
  const place = `${where}.ticketKeys`;
  const expected = `a file of ${ticketKeyBytes} bytes`;
  try {
    const bytes = read(ticketKeys);
    if (bytes.length === ticketKeyBytes) return bytes;
    problems.push(invalid(place, expected, ticketKeys, `it has ${bytes.length}`));
  } catch (error) {
    problems.push(unreadable(place, expected, ticketKeys, error));
  }
  return null;
}
