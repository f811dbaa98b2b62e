/** Ways to mutate valid input, and to split any input. */
import type { Random } from './random.ts';

/** Edges of lengths, identifiers and windows. */
const EDGES = [
  0, 1, 2, 5, 8, 9, 127, 128, 255, 256, 16_383, 16_384, 16_385, 65_535, 0x7fff_ffff, 0xffff_ffff,
];

/** Bytes overwritten, inserted, removed, doubled or cut off. */
export function spoilBytes(random: Random, bytes: Buffer): Buffer {
  if (bytes.length === 0) return random.bytes(random.integer(1, 20));
  const at = random.integer(0, bytes.length - 1);
  const end = Math.min(bytes.length, at + random.integer(1, 12));
  switch (random.integer(0, 6)) {
    case 0: {
      const copy = Buffer.from(bytes);
      copy[at] = random.next();
      return copy;
    }
    case 1: {
      const copy = Buffer.from(bytes);
      copy[at] = (copy[at] as number) ^ (1 << random.integer(0, 7));
      return copy;
    }
    case 2:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(random.integer(1, 12)), bytes.subarray(at)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
    case 4:
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
    case 5:
      return Buffer.from(bytes.subarray(0, at));
    default: {
      const size = random.pick([1, 2, 3, 4]);
      const copy = Buffer.from(bytes);
      const value = random.pick(EDGES) % 256 ** size;
      if (at + size <= copy.length) copy.writeUIntBE(value, at, size);
      return copy;
    }
  }
}

/** Pieces removed, doubled, swapped or mutated one by one; often none of it. */
export function spoil(random: Random, pieces: readonly Buffer[]): Buffer[] {
  const out = [...pieces];
  const times = random.pick([0, 0, 1, 1, 2, 5]);
  for (let time = 0; time < times && out.length > 0; time++) {
    const at = random.integer(0, out.length - 1);
    const other = random.integer(0, out.length - 1);
    const piece = out[at] as Buffer;
    switch (random.integer(0, 5)) {
      case 0:
        out.splice(at, 1);
        break;
      case 1:
        out.splice(other, 0, piece);
        break;
      case 2:
        out[at] = out[other] as Buffer;
        out[other] = piece;
        break;
      default:
        out[at] = spoilBytes(random, piece);
    }
  }
  return out;
}

export const Cut = { Whole: 'whole', Bytes: 'byte by byte', Random: 'at random' } as const;
export type Cut = (typeof Cut)[keyof typeof Cut];

/** The input as the network may deliver it. Every piece has memory of its own, like a socket's chunks. */
export function cut(random: Random, bytes: Buffer, how: Cut): Buffer[] {
  if (how === Cut.Whole) return [Buffer.from(bytes)];
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = how === Cut.Bytes ? 1 : random.integer(1, random.pick([3, 12, 100, 20_000]));
    pieces.push(Buffer.from(bytes.subarray(at, at + length)));
    at += length;
  }
  return pieces;
}
