/**
 * Reduces a picture row by row, with a tent filter that covers twice as many source pixels as one target
 * pixel.
 *
 * Rows are pushed as they are decoded, and only the target rows that they reach are held, so that a PNG is
 * never in memory as a whole. Each source row is first reduced in width and then weighted into its target
 * rows, which costs two multiplications per source value. Colours are weighted by their alpha: invisible
 * pixels must not tint visible ones.
 */
import type { Picture, RowSink } from './picture.ts';

/** For every target index: the source indices that reach it and their weights, which add up to 1. */
interface Reach {
  readonly first: Int32Array;
  readonly last: Int32Array;
  /** The weights of target `i`, from `i * stride` on. */
  readonly weights: Float32Array;
  readonly stride: number;
}

export class Resampler implements RowSink {
  readonly #width: number;
  readonly #height: number;
  readonly #columns: Reach;
  readonly #rows: Reach;
  readonly #rgba: Uint8ClampedArray<ArrayBuffer>;
  /** The source row at the width of the target, with colours multiplied by alpha. */
  readonly #narrow: Float32Array;
  /** Sums of the open target rows, at `row % #openRows`. */
  readonly #sums: Float32Array;
  readonly #openRows: number;
  #sourceRow = 0;
  #firstOpen = 0;

  /** The target must not be larger than the source in either direction. */
  constructor(sourceWidth: number, sourceHeight: number, width: number, height: number) {
    this.#width = width;
    this.#height = height;
    this.#columns = reachOf(sourceWidth, width);
    this.#rows = reachOf(sourceHeight, height);
    this.#rgba = new Uint8ClampedArray(width * height * 4);
    this.#narrow = new Float32Array(width * 4);
    // A tent is two target pixels wide, so no source row contributes to more than three target rows.
    this.#openRows = 3;
    this.#sums = new Float32Array(this.#openRows * width * 4);
  }

  row(source: Uint8Array | Uint8ClampedArray, offset: number): void {
    this.#narrowRow(source, offset);
    const { first, last, weights, stride } = this.#rows;
    const y = this.#sourceRow++;
    for (let target = this.#firstOpen; target < this.#height && first[target] <= y; target++) {
      this.#add(target, weights[target * stride + y - first[target]]);
    }
    while (this.#firstOpen < this.#height && last[this.#firstOpen] <= y) this.#close(this.#firstOpen++);
  }

  #narrowRow(source: Uint8Array | Uint8ClampedArray, offset: number): void {
    const { first, last, weights, stride } = this.#columns;
    const narrow = this.#narrow;
    for (let x = 0; x < this.#width; x++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      let alpha = 0;
      let weight = x * stride;
      const end = offset + last[x] * 4;
      for (let at = offset + first[x] * 4; at <= end; at += 4) {
        const share = weights[weight++] * source[at + 3];
        red += share * source[at];
        green += share * source[at + 1];
        blue += share * source[at + 2];
        alpha += share;
      }
      const to = x * 4;
      narrow[to] = red;
      narrow[to + 1] = green;
      narrow[to + 2] = blue;
      narrow[to + 3] = alpha;
    }
  }

  #add(target: number, weight: number): void {
    const narrow = this.#narrow;
    const sums = this.#sums;
    const base = (target % this.#openRows) * narrow.length;
    for (let i = 0; i < narrow.length; i++) sums[base + i] += weight * narrow[i];
  }

  #close(target: number): void {
    const rgba = this.#rgba;
    const sums = this.#sums;
    const rowLength = this.#width * 4;
    const base = (target % this.#openRows) * rowLength;
    const to = target * rowLength;
    for (let i = 0; i < rowLength; i += 4) {
      const alpha = sums[base + i + 3];
      if (alpha > 0) {
        rgba[to + i] = sums[base + i] / alpha;
        rgba[to + i + 1] = sums[base + i + 1] / alpha;
        rgba[to + i + 2] = sums[base + i + 2] / alpha;
        rgba[to + i + 3] = alpha;
      }
    }
    sums.fill(0, base, base + rowLength);
  }

  /** Returns the picture, after every source row has been pushed. */
  finish(): Picture {
    return { width: this.#width, height: this.#height, rgba: this.#rgba };
  }
}

function reachOf(source: number, target: number): Reach {
  const scale = source / target;
  const stride = Math.ceil(scale * 2) + 2;
  const first = new Int32Array(target);
  const last = new Int32Array(target);
  const weights = new Float32Array(target * stride);
  for (let i = 0; i < target; i++) {
    const center = (i + 0.5) * scale;
    const from = Math.max(0, Math.ceil(center - scale - 0.5));
    const to = Math.min(source - 1, Math.floor(center + scale - 0.5));
    let sum = 0;
    for (let j = from; j <= to; j++) {
      const weight = 1 - Math.abs(j + 0.5 - center) / scale;
      weights[i * stride + j - from] = weight;
      sum += weight;
    }
    for (let j = 0; j <= to - from; j++) weights[i * stride + j] /= sum;
    first[i] = from;
    last[i] = to;
  }
  return { first, last, weights, stride };
}
