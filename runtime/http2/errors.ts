/**
 * Whose fault, which scope, which code. A stream error ends one stream (RFC 9113 section 5.4.2), a connection
 * error ends them all (5.4.1), and misuse is the owner's bug: only that one is thrown.
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

/** Why the whole connection ended. `reason` also travels as GOAWAY's debug data, so it names no secret. */
export class ConnectionError {
  /** RFC 9113 section 7. */
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string) {
    this.code = code;
    this.reason = reason;
  }
}

/**
 * The owner called the engine against its contract: a bug in the caller, never something a peer can cause.
 */
export class EngineMisuseError extends Error {
  override readonly name = 'EngineMisuseError';
  readonly code = 'SLUICE_HTTP2_MISUSE';

  constructor(streamId: number, expected: string, came: string) {
    super(`HTTP/2 stream ${streamId}: expected ${expected}, but ${came}`);
  }
}

/** An option outside the values that RFC 9113 or the engine can work with. */
export class EngineOptionError extends RangeError {
  override readonly name = 'EngineOptionError';
  readonly code = 'SLUICE_HTTP2_OPTION';

  constructor(option: string, expected: string, came: unknown) {
    super(`HTTP/2 option ${option}: expected ${expected}, got ${String(came)}`);
  }
}
