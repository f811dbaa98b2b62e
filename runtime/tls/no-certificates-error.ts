/** No listener has certificates that could be reloaded. */
export class NoCertificatesError extends Error {
  override readonly name = 'NoCertificatesError';
  readonly code = 'SLUICE_NO_CERTIFICATES';

  constructor() {
    super(
      'reloadCertificates(): expected a listener with files in tls.certificates, got none; only those files can be reloaded',
    );
  }
}
