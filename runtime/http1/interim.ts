/**
 * An interim response (RFC 9110 section 15.2) as it stands on the wire. Node has calls for 100, 102 and 103 in every
 * version and for the others in some, and refuses links that it does not like; what an application may send has been
 * checked in its thread.
 */
import { plainName } from '../../wire/field-marks.ts';

const REASONS: { readonly [status: number]: string } = {
  100: 'Continue',
  102: 'Processing',
  103: 'Early Hints',
};

export function interimMessage(status: number, fields: readonly string[]): string {
  // RFC 9112 section 4: the phrase may be empty, the space before it may not.
  let head = `HTTP/1.1 ${status} ${REASONS[status] ?? ''}\r\n`;
  for (let i = 0; i < fields.length; i += 2) head += `${plainName(fields[i])}: ${fields[i + 1]}\r\n`;
  return `${head}\r\n`;
}
