/**
 * Errors of the wire. The hot path returns; these errors are thrown at the edges or passed to a channel's
 * owner.
 */

export const WireErrorCode = {
  /** Shared memory holds bytes or words that the other side may not have written. The channel is over. */
  Corrupt: 'SLUICE_CHANNEL_CORRUPT',
  /** The message is too long for an empty ring of this size. */
  RecordTooLarge: 'SLUICE_RECORD_TOO_LARGE',
  /** An option is outside its range. */
  OptionInvalid: 'SLUICE_WIRE_OPTION_INVALID',
  /** The other end uses another version of the grammar. */
  VersionMismatch: 'SLUICE_WIRE_VERSION',
  /**
   * The owner of an object broke its contract, for example with a commit without a claim or a claim within
   * another.
   */
  Misuse: 'SLUICE_WIRE_MISUSE',
} as const;
export type WireErrorCode = (typeof WireErrorCode)[keyof typeof WireErrorCode];

export class WireError extends Error {
  override readonly name = 'WireError';
  readonly code: WireErrorCode;

  constructor(code: WireErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
