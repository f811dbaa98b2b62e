/** The owner called the engine against its contract: a bug in the caller, never something a peer can cause. */
export class EngineMisuseError extends Error {
  override readonly name = 'EngineMisuseError';
  readonly code = 'SLUICE_HTTP1_MISUSE';

  constructor(expected: string, came: string) {
    super(`HTTP/1.1 message: expected ${expected}, but ${came}`);
  }
}

/** RFC 9113 section 7: by what an owner is told why something ended, whatever the protocol. */
export const CloseCode = { None: 0x0, ProtocolError: 0x1, Cancel: 0x8 } as const;
