/** Errors of the wire. The hot path returns; these are thrown at the edges or handed to a channel's owner. */

export const WireErrorCode = {
  /** The bytes or words in shared memory are not what this side's peer may have written. The channel is over. */
  Corrupt: 'SLUICE_CHANNEL_CORRUPT',
  /** A message that no empty ring of this size could take. */
  RecordTooLarge: 'SLUICE_RECORD_TOO_LARGE',
  /** An option outside its range. */
  OptionInvalid: 'SLUICE_WIRE_OPTION_INVALID',
  /** The other end speaks another version of the grammar. */
  VersionMismatch: 'SLUICE_WIRE_VERSION',
  /** The owner of an object broke its contract: a commit without a claim, a claim within another. */
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
