/**
 * Recognises the heads that handlers pass to `writeHead` again, by their names and values, before they are laid out. Most routes send one
 * head, in a new object for each response.
 */
import type { FlatFields } from '../../fields/flat.ts';
import type { RepeatedFields } from '../repeated-fields.ts';

export interface KnownHead {
  readonly fields: FlatFields;
  /** Content-Length; null if there is none. */
  readonly contentLength: number | null;
}

interface Entry extends KnownHead {
  readonly names: readonly string[];
  readonly values: readonly unknown[];
}

interface Headers {
  readonly [name: string]: unknown;
}

/** A power of two, as for `RepeatedFields`. */
const ENTRIES = 16;
/** Fields that may become pushes, for each response anew. */
const PUSHING = new Set(['link', 'x-associated-content']);

export class KnownHeads {
  readonly #entries: (Entry | null)[] = new Array(ENTRIES).fill(null);
  readonly #repeated: RepeatedFields;

  constructor(repeated: RepeatedFields) {
    this.#repeated = repeated;
  }

  /** @param headers what `writeHead` was given */
  find(headers: unknown): KnownHead | null {
    if (!isPlain(headers)) return null;
    const entry = this.#entries[entryOf(headers)];
    if (entry === null) return null;
    const { names, values } = entry;
    let i = 0;
    for (const name in headers) {
      if (name !== names[i] || headers[name] !== values[i]) return null;
      i++;
    }
    return i === names.length ? entry : null;
  }

  /** @returns what is to be sent of a head; null if it depends on the exchange */
  fieldsOf(flat: readonly string[]): FlatFields | null {
    for (let i = 0; i < flat.length; i += 2) if (PUSHING.has(flat[i])) return null;
    return this.#repeated.of(flat);
  }

  /** Remembers a head that comes again. @param fields as they were laid out */
  note(headers: unknown, fields: FlatFields): void {
    if (Object.isFrozen(fields.flat) && isPlain(headers)) this.#remember(headers, fields);
  }

  #remember(headers: Headers, fields: FlatFields): void {
    const { flat } = fields;
    const names = Object.keys(headers);
    const values = Object.values(headers);
    // Fields of the connection have been left out, and they count for each response. A list may change.
    if (flat.length !== 2 * names.length || !values.every(isConstant)) return;
    let contentLength: number | null = null;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] === 'content-length') contentLength = Number(flat[i + 1]);
    }
    this.#entries[entryOf(headers)] = { fields, contentLength, names, values };
  }
}

function isConstant(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

function isPlain(headers: unknown): headers is Headers {
  if (typeof headers !== 'object' || headers === null) return false;
  // Node sends own members only.
  const prototype: unknown = Object.getPrototypeOf(headers);
  return prototype === Object.prototype || prototype === null;
}

function entryOf(headers: Headers): number {
  let lengths = 0;
  for (const name in headers) {
    const value = headers[name];
    lengths = (lengths * 31 + (typeof value === 'string' ? value.length : 1)) | 0;
  }
  return lengths & (ENTRIES - 1);
}
