/**
 * The owner called the engine against its contract. That is a bug in the caller; a peer can never cause it.
 */
export class EngineMisuseError extends Error {
  override readonly name = 'EngineMisuseError';
  readonly code = 'SLUICE_HTTP1_MISUSE';

  constructor(expected: string, actual: string) {
    super(`HTTP/1.1 message: expected ${expected}, but ${actual}`);
  }
}

/** The codes of RFC 9113 section 7 tell an owner why something ended, whatever the protocol. */
export const CloseCode = { None: 0x0, ProtocolError: 0x1, Cancel: 0x8 } as const;
