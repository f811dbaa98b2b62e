/** Which coding of a file a client prefers: Accept-Encoding (RFC 9110 section 12.5.3). */
import type { ContentCoding } from './options.ts';

/** The suffix of the file that holds a coding. */
export const CODING_SUFFIX: { readonly [Coding in ContentCoding]: string } = {
  br: '.br',
  zstd: '.zst',
  gzip: '.gz',
};

/** RFC 9110 section 12.4.2: three decimals, from 0 to 1. */
const MEMBER = /^([!#$%&'*+\-.^_`|~\w]+)(?:[ \t]*;[ \t]*[qQ]=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/;
/** No client lists more; the rest of a longer list is not read. */
const MAX_MEMBERS = 32;

/** Weights by coding; a malformed member is ignored. */
export class AcceptedCodings {
  readonly #weights = new Map<string, number>();

  /** @param values the request's Accept-Encoding fields */
  constructor(values: readonly string[]) {
    for (const text of values.join(',').split(',', MAX_MEMBERS)) {
      const match = MEMBER.exec(text.trim());
      if (match === null) continue;
      const name = (match[1] as string).toLowerCase();
      // RFC 9110 section 8.4.1.3: the old name of gzip means gzip.
      this.#weights.set(name === 'x-gzip' ? 'gzip' : name, match[2] === undefined ? 1 : Number(match[2]));
    }
  }

  /** 0: not acceptable. */
  weightOf(coding: ContentCoding): number {
    return this.#weights.get(coding) ?? this.#weights.get('*') ?? 0;
  }

  /** The file itself, without a coding, is acceptable unless the client explicitly refuses it. */
  get takesIdentity(): boolean {
    return (this.#weights.get('identity') ?? this.#weights.get('*') ?? 1) > 0;
  }

  /**
   * The codings to try, the best first: by the client's weight, then in the given order. Codings that the
   * client likes less than no coding are left out.
   */
  order<Variant extends { readonly coding: ContentCoding }>(variants: readonly Variant[]): Variant[] {
    const least = this.#weights.get('identity') ?? 0;
    return variants
      .filter(({ coding }) => this.weightOf(coding) > 0 && this.weightOf(coding) >= least)
      .sort((one, other) => this.weightOf(other.coding) - this.weightOf(one.coding));
  }
}
