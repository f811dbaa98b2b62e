/**
 * An error says whose fault it is, which scope it has, and which code. A stream error ends one stream (RFC
 * 9113 section 5.4.2). A connection error ends all of them (5.4.1). Misuse is a bug of the owner, and only
 * misuse is thrown.
 */

/** HTTP/2 error codes (RFC 9113 section 7). */
export const ErrorCode = {
  NoError: 0x0,
  ProtocolError: 0x1,
  InternalError: 0x2,
  FlowControlError: 0x3,
  SettingsTimeout: 0x4,
  StreamClosed: 0x5,
  FrameSizeError: 0x6,
  RefusedStream: 0x7,
  Cancel: 0x8,
  CompressionError: 0x9,
  ConnectError: 0xa,
  EnhanceYourCalm: 0xb,
  InadequateSecurity: 0xc,
  Http11Required: 0xd,
} as const;

/** Why the whole connection ended. `reason` is also sent as GOAWAY's debug data, so it contains no secret. */
export class ConnectionError {
  /** A code of RFC 9113 section 7. */
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string) {
    this.code = code;
    this.reason = reason;
  }
}

/**
 * The owner called the engine against its contract. That is a bug in the caller; a peer can never cause it.
 */
export class EngineMisuseError extends Error {
  override readonly name = 'EngineMisuseError';
  readonly code = 'SLUICE_HTTP2_MISUSE';

  constructor(streamId: number, expected: string, actual: string) {
    super(`HTTP/2 stream ${streamId}: expected ${expected}, but ${actual}`);
  }
}

/** An option has a value that RFC 9113 or the engine does not allow. */
export class EngineOptionError extends RangeError {
  override readonly name = 'EngineOptionError';
  readonly code = 'SLUICE_HTTP2_OPTION';

  constructor(option: string, expected: string, actual: unknown) {
    super(`HTTP/2 option ${option}: expected ${expected}, got ${String(actual)}`);
  }
}
