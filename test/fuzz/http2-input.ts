/** Input from an HTTP/2 client: mostly valid, partly invalid, partly mutated. */
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { HpackEncoder } from '../../runtime/http2/hpack/encoder.ts';
import {
  continuation,
  data,
  fieldBlock,
  frame,
  frameHead,
  goaway,
  headersOf,
  ping,
  preface,
  priority,
  rstStream,
  settings,
  settingsAck,
  windowUpdate,
} from '../http2/frames.ts';
import { encodeFields } from '../http2/hpack/coding.ts';
import { readCorpus } from './corpus.ts';
import { spoil } from './mutation.ts';
import type { Random } from './random.ts';

const PRIORITY_UPDATE = 0x10;
const corpus = readCorpus('http2');

/** Fields that no request may have, or not in this form (RFC 9113 section 8). */
const FAULTS: readonly (readonly string[])[] = [
  ['connection', 'close'],
  ['X-Upper', 'a'],
  ['te', 'gzip'],
  ['transfer-encoding', 'chunked'],
  ['x-nul', 'a\0b'],
  ['x-space', ' a'],
  ['content-length', '1'],
  ['content-length', 'many'],
  [':path', '/twice'],
  [':unknown', 'a'],
  ['', 'nameless'],
  ['host', 'elsewhere.test'],
];
const GOOD: readonly (readonly string[])[] = [
  ['cookie', 'a=1'],
  ['cookie', 'b=2'],
  ['te', 'trailers'],
  ['priority', 'u=1, i'],
  ['expect', '100-continue'],
  ['user-agent', 'a fuzzer'],
  ['accept', '*/*'],
];

class Client {
  readonly #random: Random;
  readonly #path: () => string;
  /** Its table is in step with the server's as long as nothing is mutated. */
  readonly #encoder: HpackEncoder | null;
  #nextId = 1;
  readonly #open: number[] = [];

  constructor(random: Random, path: () => string) {
    this.#random = random;
    this.#path = path;
    this.#encoder = random.chance(60) ? new HpackEncoder({ maxTableBytes: 4096 }) : null;
  }

  /** One frame, or several that belong together. */
  next(): Buffer[] {
    const random = this.#random;
    const kind = random.integer(0, 99);
    if (kind < 35) return this.#request();
    if (kind < 60) return [this.#data()];
    if (kind < 64) return [this.#trailers()];
    if (kind < 70)
      return [windowUpdate(this.#someId(), random.pick([1, 63, 64, 1000, 65_535, 0, 0x7fff_ffff]))];
    if (kind < 74) return [rstStream(this.#someId(), random.integer(0, 14))];
    if (kind < 79) return [this.#settings()];
    if (kind < 83) return [ping(random.text(8), random.chance(30))];
    if (kind < 86) return [priority(this.#someId(), this.#someId())];
    if (kind < 88) return [goaway(random.integer(0, 9), random.integer(0, 14))];
    if (kind < 91) return [this.#priorityUpdate()];
    if (kind < 93) return [settingsAck];
    if (kind < 95)
      return [
        frameHead(random.integer(0, 12), random.next() & 0xff, this.#someId(), random.next() & 0xff_ffff),
      ];
    if (kind < 97) return [random.bytes(random.integer(1, 40))];
    return [
      frame(
        random.integer(0, 255),
        random.next() & 0xff,
        this.#someId(),
        random.bytes(random.integer(0, 40)),
      ),
    ];
  }

  #someId(): number {
    const random = this.#random;
    if (random.chance(60) && this.#open.length > 0) return random.pick(this.#open);
    return random.pick([0, 0, this.#nextId, this.#nextId - 2 > 0 ? this.#nextId - 2 : 1, 2, 0x7fff_ffff]);
  }

  #fields(method: string): string[] {
    const random = this.#random;
    const fields = [':method', method, ':scheme', 'http', ':authority', 'fuzz.test', ':path', this.#path()];
    for (let count = random.pick([0, 0, 1, 3, 8]); count > 0; count--) {
      if (random.chance(50)) fields.push(...random.pick(GOOD));
      else
        fields.push(`x-${random.integer(0, 5)}`, random.text(random.pick([0, 1, 30, 126, 127, 300])).trim());
    }
    if (random.chance(8)) fields.push(...random.pick(FAULTS));
    if (random.chance(3)) fields.splice(2 * random.integer(0, 3), 2);
    return fields;
  }

  #block(fields: readonly string[]): Buffer {
    return this.#encoder === null ? fieldBlock(fields) : Buffer.from(encodeFields(this.#encoder, fields));
  }

  #request(): Buffer[] {
    const random = this.#random;
    const id = random.chance(97) ? this.#nextId : this.#someId();
    this.#nextId += random.chance(90) ? 2 : 6;
    const method = random.pick(['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);
    const endStream = random.chance(method === 'GET' || method === 'HEAD' ? 90 : 20);
    if (!endStream) this.#open.push(id);
    const block = this.#block(this.#fields(method));
    const options = {
      endStream,
      ...(random.chance(15) && { padBytes: random.integer(0, 255) }),
      ...(random.chance(15) && { dependsOn: random.integer(0, 9) }),
    };
    if (!random.chance(20)) return [headersOf(id, block, options)];
    const cuts = [0, random.integer(0, block.length), random.integer(0, block.length), block.length];
    cuts.sort((a, b) => a - b);
    const [, first, second] = cuts as [number, number, number, number];
    return [
      headersOf(id, block.subarray(0, first), { ...options, endHeaders: false }),
      continuation(id, block.subarray(first, second), false),
      continuation(id, block.subarray(second), true),
    ];
  }

  #data(): Buffer {
    const random = this.#random;
    const endStream = random.chance(35);
    const id = this.#someId();
    if (endStream && this.#open.includes(id)) this.#open.splice(this.#open.indexOf(id), 1);
    const content = Buffer.alloc(
      random.pick([0, 1, 1, 20, 20, 200, 200, 2000, random.chance(20) ? 16_384 : 100]),
      id & 0xff,
    );
    return data(id, content, endStream, random.chance(20) ? random.integer(0, 255) : undefined);
  }

  #trailers(): Buffer {
    const id = this.#someId();
    if (this.#open.includes(id)) this.#open.splice(this.#open.indexOf(id), 1);
    const fields = this.#random.chance(85) ? ['x-sum', '1'] : this.#random.pick(FAULTS);
    return headersOf(id, this.#block(fields), { endStream: this.#random.chance(90) });
  }

  #settings(): Buffer {
    const random = this.#random;
    const entry = random.pick([
      [1, random.pick([0, 100, 4096, 70_000])],
      [2, random.pick([0, 1, 2])],
      [3, random.pick([0, 100])],
      [4, random.pick([0, 1, 100, 65_535, 1_000_000, 0x7fff_ffff, 0x8000_0000])],
      [5, random.pick([16_384, 16_383, 0xff_ffff, 0x100_0000])],
      [6, random.pick([0, 1000])],
      [8, random.pick([0, 1, 2])],
      [random.integer(9, 0xffff), random.next()],
    ]);
    return random.chance(10)
      ? frame(FrameType.Settings, 0, 0, random.bytes(random.integer(1, 13)))
      : settings(...entry);
  }

  #priorityUpdate(): Buffer {
    const random = this.#random;
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(this.#someId());
    const text = random.pick(['u=0', 'u=7, i', 'i', '', 'u=9', random.text(20)]);
    return frame(
      PRIORITY_UPDATE,
      random.pick([0, Flag.EndStream]),
      random.pick([0, 0, 0, 1]),
      Buffer.concat([payload, Buffer.from(text)]),
    );
  }
}

/**
 * What a client sends over the life of a connection, including its preface. @param path is the path of the
 * requests.
 */
export function http2Conversation(random: Random, path: () => string): Buffer[] {
  if (random.chance(2)) return [random.bytes(random.integer(1, 200))];
  if (corpus.length > 0 && random.chance(15)) return spoil(random, random.pick(corpus));
  const client = new Client(random, path);
  const pieces = Array.from({ length: random.integer(1, 30) }, () => client.next()).flat();
  const opening = random.chance(97) ? [preface, settings(), settingsAck] : [preface];
  return [...opening, ...spoil(random, pieces)];
}
