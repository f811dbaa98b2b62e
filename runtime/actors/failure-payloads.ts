/** Failures as payloads: those that the directory itself replies with, and those that threads report. */
import type { Failure } from '../../wire/actors/messages.ts';
import { DEFAULT_MAX_ERROR_CHARS, describeError, type ErrorReport } from '../../wire/error-report.ts';
import { PayloadDecoder } from '../../wire/payload/decoder.ts';
import { PayloadEncoder } from '../../wire/payload/encoder.ts';

const LIMITS = {
  maxBytes: 1_048_576,
  maxDepth: 64,
  maxReferences: 10_000,
  maxErrorChars: DEFAULT_MAX_ERROR_CHARS,
};

export class FailurePayloads {
  readonly #encoder = new PayloadEncoder();
  readonly #decoder = new PayloadDecoder();
  readonly #maxErrorChars: number | undefined;

  constructor(maxErrorChars: number | undefined) {
    this.#maxErrorChars = maxErrorChars;
  }

  encode(failure: Failure): Buffer {
    this.#encoder.encode(failure, 'failure', LIMITS);
    return Buffer.from(this.#encoder.bytes.subarray(0, this.#encoder.length));
  }

  report(payload: Buffer): ErrorReport {
    try {
      return describeError(this.#decoder.decode(payload, 0, payload.length, LIMITS), this.#maxErrorChars);
    } catch (error) {
      // A thread that has gone wild: what it says is no report.
      return describeError(error, this.#maxErrorChars);
    }
  }
}
