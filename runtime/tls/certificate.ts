/** Reads a certificate and its key, and finds faults before a client does. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { ConfigProblem } from '../config/errors.ts';
import type { CertificateConfig } from '../config/listeners.ts';
import type { ReadFile } from './files.ts';
import { invalid, mismatch, reasonOf, type TlsWarning, unreadable } from './problems.ts';

export interface Certificate {
  /** PEM, followed by the certificates that lead to a root. */
  readonly cert: string;
  /** PEM, not encrypted. */
  readonly key: string;
  /** The host names that it is valid for, in lower case; `*.` starts a wildcard. */
  readonly names: readonly string[];
  readonly warning: TlsWarning | null;
}

/**
 * @param where JSON path of the certificate's entry
 * @returns null if there is a problem, which was then added to `problems`
 */
export function readCertificate(
  config: CertificateConfig,
  where: string,
  nowMs: number,
  read: ReadFile,
  problems: ConfigProblem[],
): Certificate | null {
  const expectedCert = 'a certificate in PEM';
  const expectedKey = 'a private key in PEM';
  const passphrase =
    config.passphraseFile === null
      ? undefined
      : readText(config.passphraseFile, `${where}.passphraseFile`, 'a passphrase', read, problems);
  const cert = readText(config.cert, `${where}.cert`, expectedCert, read, problems);
  const key = readText(config.key, `${where}.key`, expectedKey, read, problems);
  if (cert === null || key === null || passphrase === null) return null;
  const parsed = attempt(() => new X509Certificate(cert));
  if (parsed instanceof Error)
    problems.push(invalid(`${where}.cert`, expectedCert, config.cert, reasonOf(parsed)));
  const privateKey = attempt(() => createPrivateKey({ key, ...withPassphrase(passphrase) }));
  if (privateKey instanceof Error)
    problems.push(invalid(`${where}.key`, expectedKey, config.key, keyHint(privateKey, key, passphrase)));
  if (parsed instanceof Error || privateKey instanceof Error) return null;
  if (!parsed.checkPrivateKey(privateKey)) {
    problems.push(mismatch(`${where}.key`, config.cert, config.key));
    return null;
  }
  return {
    cert,
    key: pemOf(privateKey),
    names: namesOf(parsed),
    warning: warningOf(parsed, `${where}.cert`, config.cert, nowMs),
  };
}

/** The file's text; or null, and a problem was added. */
export function readText(
  file: string,
  where: string,
  expected: string,
  read: ReadFile,
  problems: ConfigProblem[],
): string | null {
  try {
    return read(file).toString();
  } catch (error) {
    problems.push(unreadable(where, expected, file, error));
    return null;
  }
}

function attempt<Value>(read: () => Value): Value | Error {
  try {
    return read();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** An editor ends the line; the line end does not belong to the passphrase. */
function withPassphrase(text: string | undefined): { passphrase?: string } {
  return text === undefined ? {} : { passphrase: text.split(/\r?\n/, 1)[0] };
}

function keyHint(error: Error, key: string, passphrase: string | undefined): string {
  const code = 'code' in error ? error.code : '';
  // OpenSSL's message differs by format.
  if (passphrase === undefined && key.includes('ENCRYPTED'))
    return 'it is encrypted: name the file of its passphrase in passphraseFile';
  if (code === 'ERR_OSSL_BAD_DECRYPT') return 'the passphrase is wrong';
  return reasonOf(error);
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** The host names in subjectAltName (RFC 6125: the subject's common name no longer counts). */
function namesOf(certificate: X509Certificate): string[] {
  const entries = certificate.subjectAltName?.split(', ') ?? [];
  // Node quotes what a name cannot contain, so that it is not mistaken for a list. No client asks for such a
  // name.
  const names = entries.filter((entry) => /^DNS:[^"]+$/.test(entry));
  return names.map((entry) => entry.slice('DNS:'.length).toLowerCase());
}

function warningOf(
  { validFromDate, validToDate }: X509Certificate,
  where: string,
  file: string,
  nowMs: number,
): TlsWarning | null {
  if (validToDate.getTime() < nowMs) {
    const message = `${file} expired on ${validToDate.toISOString()}: clients will refuse it`;
    return { code: 'SLUICE_TLS_EXPIRED', where, message };
  }
  if (validFromDate.getTime() > nowMs) {
    const message = `${file} is not valid before ${validFromDate.toISOString()}: until then clients will refuse it`;
    return { code: 'SLUICE_TLS_NOT_YET_VALID', where, message };
  }
  return null;
}
