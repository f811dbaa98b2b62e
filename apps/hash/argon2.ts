/**
 * Argon2id (RFC 9106) and its encoded form, `$argon2id$v=19$m=…,t=…,p=…$salt$tag`.
 *
 * An encoded hash in a request states its own cost. So it is parsed and checked against limits before
 * anything is computed: `m` alone could otherwise demand 4 TiB of memory.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { argon2id } from 'hash-wasm';

/** The minimum of OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane. */
export const PARAMETERS = Object.freeze({
  memoryKiB: 19 * 1024,
  passes: 2,
  lanes: 1,
  saltBytes: 16,
  tagBytes: 32,
});

/** The most that a hash to be verified may cost. */
export const LIMITS = Object.freeze({
  memoryKiB: 64 * 1024,
  passes: 8,
  lanes: 4,
  saltBytes: 64,
  tagBytes: 64,
});

const VERSION = 19;
/**
 * RFC 9106 section 3.1: a tag has at least 4 bytes. The reference implementation requires a salt of at least
 * 8.
 */
const MIN_TAG_BYTES = 4;
const MIN_SALT_BYTES = 8;

export interface EncodedHash {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

/** @returns the encoded hash with a fresh random salt */
export function encodePassword(password: string): Promise<string> {
  return argon2id({
    password,
    salt: randomBytes(PARAMETERS.saltBytes),
    memorySize: PARAMETERS.memoryKiB,
    iterations: PARAMETERS.passes,
    parallelism: PARAMETERS.lanes,
    hashLength: PARAMETERS.tagBytes,
    outputType: 'encoded',
  });
}

const ENCODED =
  /^\$argon2id\$v=(\d{1,3})\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,8})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** @returns the parts, or a sentence that says why the hash is refused */
export function parseEncoded(encoded: string): EncodedHash | string {
  const match = ENCODED.exec(encoded);
  if (match === null) return 'expected the form $argon2id$v=19$m=…,t=…,p=…$salt$tag.';
  const [version, memoryKiB, passes, lanes] = match.slice(1, 5).map(Number);
  if (version !== VERSION) return `expected version v=${VERSION}, got v=${version}.`;
  const salt = Buffer.from(match[5], 'base64');
  const tag = Buffer.from(match[6], 'base64');
  return (
    outside('t (passes)', passes, 1, LIMITS.passes) ??
    outside('p (lanes)', lanes, 1, LIMITS.lanes) ??
    // RFC 9106 section 3.1: at least eight blocks per lane.
    outside('m (KiB of memory)', memoryKiB, 8 * lanes, LIMITS.memoryKiB) ??
    outside('the length of the salt', salt.length, MIN_SALT_BYTES, LIMITS.saltBytes) ??
    outside('the length of the tag', tag.length, MIN_TAG_BYTES, LIMITS.tagBytes) ?? {
      memoryKiB,
      passes,
      lanes,
      salt,
      tag,
    }
  );
}

function outside(name: string, value: number, min: number, max: number): string | undefined {
  return value >= min && value <= max ? undefined : `expected ${name} from ${min} to ${max}, got ${value}.`;
}

export async function verifyPassword(password: string, encoded: EncodedHash): Promise<boolean> {
  const tag = await argon2id({
    password,
    salt: encoded.salt,
    memorySize: encoded.memoryKiB,
    iterations: encoded.passes,
    parallelism: encoded.lanes,
    hashLength: encoded.tag.length,
    outputType: 'binary',
  });
  return timingSafeEqual(tag, encoded.tag);
}
