/** The HPACK decoder on valid, mutated and random blocks, and a round trip from our encoder. */
import { DecodeResult, HpackDecoder } from '../../runtime/http2/hpack/decoder.ts';
import { HpackEncoder } from '../../runtime/http2/hpack/encoder.ts';
import { encodeFields } from '../http2/hpack/coding.ts';
import { readCorpus } from './corpus.ts';
import { spoilBytes } from './mutation.ts';
import type { Random } from './random.ts';
import { Finding, mustAgree, type Target } from './target.ts';

const LIMITS = { maxTableBytes: 4096, maxFieldListBytes: 8192, maxFieldLines: 64 };
/** RFC 7541 section 4.1. */
const LINE_OVERHEAD_BYTES = 32;
const NAMES = [':path', ':status', 'cookie', 'content-type', 'x-one', 'x-two', 'set-cookie', 'authorization'];
const corpus = readCorpus('hpack');

export function openHpack(): Promise<Target> {
  return Promise.resolve({ run: runCase, close: () => Promise.resolve() });
}

function runCase(random: Random): void {
  if (random.chance(30)) runRoundTrips(random);
  else runBlocks(random);
}

function anyFields(random: Random): string[] {
  const fields: string[] = [];
  for (let count = random.integer(0, 12); count > 0; count--) {
    fields.push(random.pick(NAMES), random.text(random.pick([0, 1, 3, 20, 126, 127, 128, 600])));
  }
  return fields;
}

/** Our decoder reads what our encoder writes, through changes of the table's size. */
function runRoundTrips(random: Random): void {
  const encoder = new HpackEncoder({ maxTableBytes: random.pick([0, 100, 4096]) });
  const decoder = new HpackDecoder({ ...LIMITS, maxFieldListBytes: 1 << 20 });
  for (let turn = random.integer(1, 12); turn > 0; turn--) {
    if (random.chance(20)) {
      const maxTableBytes = random.pick([0, 31, 64, 300, 4096]);
      encoder.setPeerMaxTableBytes(maxTableBytes);
      decoder.setMaxTableBytes(maxTableBytes);
    }
    const fields = anyFields(random);
    const block = encodeFields(encoder, fields);
    const out: string[] = [];
    const result = decoder.decode(block, 0, block.length, out);
    if (result !== DecodeResult.Ok) throw new Finding(`our own block gives ${result}`, block);
    mustAgree('fields before and after', fields, out, block);
  }
}

/**
 * Blocks of one connection, to two decoders: one gets only the blocks, the other gets them surrounded by
 * noise.
 */
function runBlocks(random: Random): void {
  const bare = new HpackDecoder(LIMITS);
  const within = new HpackDecoder(LIMITS);
  const encoder = new HpackEncoder({ maxTableBytes: 4096 });
  const seed = corpus.length > 0 && random.chance(50) ? random.pick(corpus) : null;
  const turns = seed?.length ?? random.integer(1, 8);
  for (let turn = 0; turn < turns; turn++) {
    let block = seed?.[turn] ?? Buffer.from(encodeFields(encoder, anyFields(random)));
    if (random.chance(5)) block = random.bytes(random.integer(0, 60));
    for (let times = random.pick([0, 0, 1, 1, 3]); times > 0; times--) block = spoilBytes(random, block);
    const one: string[] = [];
    const result = bare.decode(Buffer.from(block), 0, block.length, one);
    const before = random.bytes(random.integer(0, 9));
    const around = Buffer.concat([before, block, random.bytes(random.integer(0, 9))]);
    const other: string[] = [];
    const again = within.decode(around, before.length, before.length + block.length, other);
    mustAgree('a block alone and within others', { result, one }, { result: again, one: other }, block);
    requireWithinLimits(one, bare, block);
    // The tables are out of step: the connection would end here (RFC 9113 section 4.3).
    if (result === DecodeResult.CompressionError) return;
  }
}

function requireWithinLimits(fields: readonly string[], { table }: HpackDecoder, block: Buffer): void {
  let bytes = 0;
  for (const text of fields) bytes += text.length;
  bytes += (fields.length / 2) * LINE_OVERHEAD_BYTES;
  if (fields.length / 2 > LIMITS.maxFieldLines || bytes > LIMITS.maxFieldListBytes) {
    throw new Finding(`${fields.length / 2} lines of ${bytes} bytes in all`, block);
  }
  let kept = 0;
  for (let serial = table.evicted + 1; serial <= table.inserted; serial++) {
    kept += table.name(serial).length + table.value(serial).length + LINE_OVERHEAD_BYTES;
  }
  if (kept !== table.sizeBytes || kept > table.capacityBytes || kept > LIMITS.maxTableBytes) {
    throw new Finding(
      `the table holds ${kept} bytes, says ${table.sizeBytes} of ${table.capacityBytes}`,
      block,
    );
  }
}
