/**
 * Encodings of field lists that are sent again and again. A frozen list will be the same at its next use, and
 * so will its bytes. An encoding lives as long as its list.
 */
import { Encoder, fieldsBound, stringBound } from './encoder.ts';

/**
 * A longer encoding is made each time: it should not be held for every connection and every list of an
 * application.
 */
const MAX_KEPT_BYTES = 4096;
const INTEGER_BOUND = 5;

/** The status and fields of a HEAD. */
interface KeptResponse {
  readonly status: number;
  readonly bytes: Uint8Array;
}

/** The part of OPEN that follows the path, and the values that it was encoded from. */
class KeptRequest {
  readonly #remoteAddress: string;
  readonly #remotePort: number;
  readonly #method: string;
  readonly #scheme: string;
  readonly #authority: string;
  readonly #version: string;
  readonly #tls: string;
  readonly bytes: Uint8Array;

  constructor(
    remoteAddress: string,
    remotePort: number,
    method: string,
    scheme: string,
    authority: string,
    version: string,
    tls: string,
    bytes: Uint8Array,
  ) {
    this.#remoteAddress = remoteAddress;
    this.#remotePort = remotePort;
    this.#method = method;
    this.#scheme = scheme;
    this.#authority = authority;
    this.#version = version;
    this.#tls = tls;
    this.bytes = bytes;
  }

  isOf(
    remoteAddress: string,
    remotePort: number,
    method: string,
    scheme: string,
    authority: string,
    version: string,
    tls: string,
  ): boolean {
    return (
      this.#remotePort === remotePort &&
      this.#remoteAddress === remoteAddress &&
      this.#method === method &&
      this.#scheme === scheme &&
      this.#authority === authority &&
      this.#version === version &&
      this.#tls === tls
    );
  }
}

const responses = new WeakMap<readonly string[], KeptResponse>();
const requests = new WeakMap<readonly string[], KeptRequest>();
const lists = new WeakMap<readonly string[], Uint8Array>();

/** The encoding of status and fields, if the list qualifies; null: the caller must encode it. */
export function keptResponse(status: number, fields: readonly string[]): Uint8Array | null {
  const kept = responses.get(fields);
  if (kept !== undefined) return kept.status === status ? kept.bytes : null;
  if (fields.length === 0 || !Object.isFrozen(fields)) return null;
  const bound = INTEGER_BOUND + fieldsBound(fields);
  if (bound > MAX_KEPT_BYTES) return null;
  const encoder = new Encoder(Buffer.allocUnsafeSlow(bound));
  encoder.integer(status);
  encoder.fields(fields);
  const bytes = encoder.taken();
  responses.set(fields, { status, bytes });
  return bytes;
}

/**
 * As `keptResponse`, for the fields alone. Connections may share the fields while the rest of OPEN differs.
 */
export function keptFields(fields: readonly string[]): Uint8Array | null {
  const kept = lists.get(fields);
  if (kept !== undefined) return kept;
  if (fields.length === 0 || !Object.isFrozen(fields)) return null;
  const bound = fieldsBound(fields);
  if (bound > MAX_KEPT_BYTES) return null;
  const encoder = new Encoder(Buffer.allocUnsafeSlow(bound));
  encoder.fields(fields);
  const bytes = encoder.taken();
  lists.set(fields, bytes);
  return bytes;
}

/** As `keptResponse`, for what follows the path in OPEN. */
export function keptRequest(
  remoteAddress: string,
  remotePort: number,
  method: string,
  scheme: string,
  authority: string,
  version: string,
  fields: readonly string[],
  tls: string,
): Uint8Array | null {
  const kept = requests.get(fields);
  if (kept !== undefined) {
    return kept.isOf(remoteAddress, remotePort, method, scheme, authority, version, tls) ? kept.bytes : null;
  }
  if (fields.length === 0 || !Object.isFrozen(fields)) return null;
  const bound =
    INTEGER_BOUND +
    stringBound(remoteAddress) +
    stringBound(method) +
    stringBound(scheme) +
    stringBound(authority) +
    stringBound(version) +
    fieldsBound(fields) +
    stringBound(tls);
  if (bound > 3 * MAX_KEPT_BYTES) return null;
  const encoder = new Encoder(Buffer.allocUnsafeSlow(bound));
  encoder.request(remoteAddress, remotePort, method, scheme, authority, version, fields, tls);
  const bytes = encoder.taken();
  if (bytes.length > MAX_KEPT_BYTES) return null;
  requests.set(
    fields,
    new KeptRequest(remoteAddress, remotePort, method, scheme, authority, version, tls, bytes),
  );
  return bytes;
}
