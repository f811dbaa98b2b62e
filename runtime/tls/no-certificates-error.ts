/** No listener has certificates that could be read anew. */
export class NoCertificatesError extends Error {
  override readonly name = 'NoCertificatesError';
  readonly code = 'SLUICE_NO_CERTIFICATES';

  constructor() {
    super(
      'reloadCertificates(): expected a listener with files in tls.certificates, there is none; nothing else is read anew',
    );
  }
}
