/** A listener cannot listen. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code = 'SLUICE_LISTEN_FAILED';

  constructor(address: string, expected: string, received: string, options?: ErrorOptions) {
    super(`cannot listen on ${address}: expected ${expected}, got ${received}`, options);
  }
}
