/** Faults in TLS files, in the form of configuration errors. */
import { ConfigErrorCode, type ConfigProblem, describePath } from '../config/errors.ts';

/** Not a fault, but the operator should look at it. */
export interface TlsWarning {
  readonly code: 'SLUICE_TLS_EXPIRED' | 'SLUICE_TLS_NOT_YET_VALID';
  /** JSON path into the configuration. */
  readonly where: string;
  readonly message: string;
}

export function unreadable(where: string, expected: string, file: string, error: unknown): ConfigProblem {
  const code = ConfigErrorCode.TlsUnreadable;
  return { code, where, expected, received: describePath(file), hint: reasonOf(error) };
}

export function invalid(where: string, expected: string, file: string, hint: string): ConfigProblem {
  return { code: ConfigErrorCode.TlsInvalid, where, expected, received: describePath(file), hint };
}

export function mismatch(where: string, cert: string, file: string): ConfigProblem {
  const expected = `the private key of ${describePath(cert)}`;
  const received = describePath(file);
  const hint = 'it is the key of another certificate';
  return { code: ConfigErrorCode.TlsKeyMismatch, where, expected, received, hint };
}

export function refusedByOpenssl(where: string, error: unknown): ConfigProblem {
  const expected = 'settings that OpenSSL accepts';
  return { code: ConfigErrorCode.TlsInvalid, where, expected, received: reasonOf(error) };
}

/** One line. OpenSSL's own texts start with numbers that say nothing to a reader. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message.split('\n', 1)[0].replace(/^error:[0-9A-Fa-f]+:/, '');
}
