/**
 * The thread's codec for payloads. A getter of a value that is being encoded may make another call, so a second
 * encoder may be needed.
 */
import { PayloadDecoder } from '../../wire/payload/decoder.ts';
import { PayloadEncoder } from '../../wire/payload/encoder.ts';

const encoder = new PayloadEncoder();
export const decoder: PayloadDecoder = new PayloadDecoder();

/** What it has encoded is to be taken before anything else runs. */
export function freeEncoder(): PayloadEncoder {
  return encoder.isBusy ? new PayloadEncoder() : encoder;
}
