/** A listener cannot listen. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code = 'SLUICE_LISTEN_FAILED';

  constructor(address: string, expected: string, received: string, options?: ErrorOptions) {
    super(`cannot listen on ${address}: expected ${expected}, got ${received}`, options);
  }
}

/** The address is another listener's than those of the applications: its error names the option that has it. */
export async function naming<Bound>(option: string, listening: Promise<Bound>): Promise<Bound> {
  try {
    return await listening;
  } catch (error) {
    if (error instanceof ListenError) error.message = `${option}: ${error.message}`;
    throw error;
  }
}
