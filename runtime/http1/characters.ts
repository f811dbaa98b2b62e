/**
 * Which octets are allowed where (RFC 9110 section 5.6.2, RFC 9112 section 5), as tables: a scan costs one
 * look-up per octet.
 */

function tableOf(isIn: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (isIn(code) ? 1 : 0));
}

const isAlphanumeric = (code: number): boolean => /[0-9A-Za-z]/.test(String.fromCharCode(code));

/** tchar. */
export const TOKEN = tableOf(
  (code) => isAlphanumeric(code) || (code < 0x80 && "!#$%&'*+-.^_`|~".includes(String.fromCharCode(code))),
);

/** field-vchar and what may come between: SP, HTAB, visible ASCII and obs-text. */
export const FIELD_CONTENT = tableOf((code) => code === 0x09 || (code >= 0x20 && code !== 0x7f));

/** Visible ASCII without `#`, because a fragment never leaves the client (RFC 9110 section 7.1). */
export const TARGET = tableOf((code) => code > 0x20 && code < 0x7f && code !== 0x23);

/** qdtext (RFC 9110 section 5.6.4). */
export const QUOTED_TEXT = tableOf(
  (code) => code === 0x09 || (code >= 0x20 && code !== 0x22 && code !== 0x5c && code !== 0x7f),
);

/** Value of a hexadecimal digit; -1 for everything else. */
export const HEX_VALUE = Int8Array.from({ length: 256 }, (_, code) =>
  /[0-9A-Fa-f]/.test(String.fromCharCode(code)) ? Number.parseInt(String.fromCharCode(code), 16) : -1,
);

/** The lower case of a letter; every other octet unchanged. */
export const LOWER = Uint8Array.from({ length: 256 }, (_, code) =>
  code >= 0x41 && code <= 0x5a ? code + 0x20 : code,
);
