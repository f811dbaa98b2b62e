/**
 * The HTTP/2 engine, whose owner acts as a stream's number says: it answers, echoes, drops or resets, late or
 * at once. A conversation has phases; between them time passes, the owner consumes, and the output leaves.
 */
import { FrameType, initialWindowBytes } from '../../runtime/http2/frames.ts';
import type { Http2Stream } from '../../runtime/http2/stream.ts';
import { passing } from '../bytes/passing.ts';
import { Peer } from '../http2/peer.ts';
import { http2Conversation } from './http2-input.ts';
import { Cut, cut } from './mutation.ts';
import { Random } from './random.ts';
import { Finding, mustAgree, type Target } from './target.ts';

/** More output than any conversation can request: the engine is talking to itself. */
const MAX_FRAMES = 20_000;
/** Long input sent byte by byte takes the time of many short inputs. */
const MOST_SINGLE_BYTES = 6_000;
const CONNECTION_WINDOW_BYTES = initialWindowBytes;

interface Phase {
  readonly bytes: Buffer;
  readonly elapsedMs: number;
}

/** The owner's progress with a response. The engine throws if an owner repeats a step. */
type Response = 'none' | 'head' | 'ended';

interface Outcome {
  readonly lines: readonly string[];
  readonly content: readonly (readonly [id: number, content: string])[];
  readonly sent: readonly (readonly [id: number, bytes: number])[];
  /** The output at the end of each phase. */
  readonly output: readonly string[];
  readonly failure: string;
  readonly counters: string;
}

/** The engine and its owner through one conversation. */
class Owner {
  readonly peer: Peer;
  readonly #seed: number;
  readonly #responses = new Map<number, Response>();
  readonly #input: Buffer;
  /** Sum of the server's WINDOW_UPDATEs for the connection. */
  #grantedBytes = 0;

  constructor(seed: number, input: Buffer) {
    this.#seed = seed;
    this.#input = input;
    const draw = new Random(seed);
    this.peer = new Peer(
      {
        maxConcurrentStreams: draw.pick([1, 3, 100]),
        streamWindowBytes: draw.pick([200, 20_000, 131_072]),
        connectionWindowBytes: CONNECTION_WINDOW_BYTES,
        headerTableBytes: draw.pick([0, 4096, 65_536]),
        maxFieldListBytes: draw.pick([300, 32_768]),
        enableConnectProtocol: draw.chance(50),
        // The amount of unread content is checked when a chunk arrives, so there the splits do show. Other
        // tests cover this.
        maxUnsentBytes: 0x7fff_ffff,
      },
      {
        onRequest: (stream, endStream) => this.#onRequest(stream, endStream),
        onData: (stream, _bytes, _start, _end, endStream) => {
          if (endStream) this.#act(stream);
        },
        onTrailers: (stream) => this.#act(stream),
      },
    );
  }

  run(phases: readonly Phase[], how: Cut): Outcome {
    const { peer } = this;
    const random = new Random(this.#seed + 1);
    const output: string[] = [];
    for (const { bytes, elapsedMs } of phases) {
      for (const piece of cut(random, bytes, how))
        passing(piece, (chunk) => peer.engine.receive(chunk, peer.nowMs));
      output.push(...this.#take(), '--');
      for (const stream of peer.streams.values()) this.#act(stream);
      peer.nowMs += elapsedMs;
      peer.engine.tick(peer.nowMs);
      output.push(...this.#take(), '--');
    }
    return {
      lines: peer.lines
        .filter((line) => !line.startsWith('data ') || line.endsWith(' end'))
        .map(withoutLength),
      content: [...peer.content.keys()]
        .map((id) => [id, peer.contentOf(id)] as const)
        .filter(([, content]) => content !== ''),
      sent: [...peer.sentBytes],
      output,
      failure: `${peer.engine.state} ${peer.engine.failure?.code} ${peer.engine.failure?.reason}`,
      counters: JSON.stringify(peer.engine.counters),
    };
  }

  #take(): string[] {
    const { peer } = this;
    const frames = peer.take();
    if (frames.length > MAX_FRAMES) throw new Finding(`${frames.length} frames at once`, this.#input);
    for (const { type, id, payload } of frames) {
      if (type === FrameType.WindowUpdate && id === 0) this.#grantedBytes += payload.readUInt32BE(0);
    }
    return frames.map((frame) => peer.describe(frame));
  }

  #onRequest(stream: Http2Stream, endStream: boolean): void {
    this.#responses.set(stream.id, 'none');
    if (new Random(this.#seed + stream.id).chance(20)) this.peer.engine.inform(stream, 103, ['link', '</a>']);
    if (endStream) this.#act(stream);
  }

  /** One step of the owner for the stream, which may have closed long ago. */
  #act(stream: Http2Stream): void {
    const { engine } = this.peer;
    const response = this.#responses.get(stream.id) as Response;
    const random = new Random(this.#seed + stream.id * 7 + (response === 'none' ? 0 : 3));
    switch (random.integer(0, 9)) {
      case 0:
        engine.reset(stream, random.integer(0, 13));
        return;
      case 1:
        engine.dropRequest(stream);
        break;
      case 2:
        return;
      default:
        engine.consume(stream, stream.unconsumedBytes, this.peer.nowMs);
    }
    if (response === 'ended') return;
    const content = Buffer.alloc(random.pick([0, 10, 5000, 70_000]), stream.id);
    if (response === 'none') {
      const whole = random.chance(30);
      this.#responses.set(stream.id, whole ? 'ended' : 'head');
      engine.respond(stream, random.pick([200, 204, 304, 404]), ['x-id', String(stream.id)], whole);
      if (!whole) engine.write(stream, content, 0, content.length, false);
    } else {
      this.#responses.set(stream.id, 'ended');
      if (random.chance(50)) engine.trailers(stream, ['x-sum', '1']);
      else engine.write(stream, content, 0, content.length, true);
    }
  }

  /** After the last phase: every stream ends, and none of its buffers may be left. */
  finish(): void {
    const { peer } = this;
    const { engine } = peer;
    const open = engine.failure === null && (engine.state === 'open' || engine.state === 'draining');
    for (const stream of peer.streams.values()) engine.reset(stream, 8);
    this.#take();
    if (engine.streamCount !== 0) throw new Finding(`${engine.streamCount} streams stay open`, this.#input);
    if (open) this.#requireWindow();
    engine.closed();
    if (peer.buffers.heldCount !== 0)
      throw new Finding(`${peer.buffers.heldCount} buffers are kept`, this.#input);
    this.#requireCloses();
  }

  /** All received bytes have been returned, except those saved up: less than half a window. */
  #requireWindow(): void {
    const available = initialWindowBytes + this.#grantedBytes - dataBytes(this.#input);
    if (available * 2 <= CONNECTION_WINDOW_BYTES || available > CONNECTION_WINDOW_BYTES) {
      throw new Finding(`the connection's window is ${available} when all is over`, this.#input);
    }
  }

  /** Every announced request closed once, and had no event afterwards. */
  #requireCloses(): void {
    const over = new Set<string>();
    for (const line of this.peer.lines) {
      const [what, id] = line.split(' ') as [string, string];
      if (what === 'goaway') continue;
      if (over.has(id)) throw new Finding(`after its close: ${line}`, this.#input);
      if (what === 'close') over.add(id);
    }
    if (over.size !== this.peer.streams.size) throw new Finding('a request never closed', this.#input);
  }
}

/** How much arrived at once depends on the splits; that it ended does not. */
function withoutLength(line: string): string {
  const [what, id] = line.split(' ');
  return what === 'data' ? `data ${id} end` : line;
}

/** The sizes announced by the DATA frames of a conversation. */
function dataBytes(input: Buffer): number {
  let bytes = 0;
  for (let at = 24; at + 9 <= input.length; ) {
    const length = input.readUIntBE(at, 3);
    if (input[at + 3] === FrameType.Data) bytes += length;
    at += 9 + length;
  }
  return bytes;
}

export function openEngine(): Promise<Target> {
  return Promise.resolve({ run: runCase, close: () => Promise.resolve() });
}

function runCase(random: Random): void {
  const pieces = http2Conversation(random, () => `/${random.integer(0, 99)}`);
  const phases: Phase[] = [];
  for (let at = 0; at < pieces.length; ) {
    const count = random.integer(1, 12);
    phases.push({
      bytes: Buffer.concat(pieces.slice(at, at + count)),
      elapsedMs: random.pick([0, 1, 900, 5000]),
    });
    at += count;
  }
  const input = Buffer.concat(pieces);
  const seed = random.next() >>> 1;
  let whole: Outcome | null = null;
  for (const how of input.length <= MOST_SINGLE_BYTES
    ? [Cut.Whole, Cut.Bytes, Cut.Random]
    : [Cut.Whole, Cut.Random]) {
    const owner = new Owner(seed, input);
    const outcome = owner.run(phases, how);
    owner.finish();
    if (whole === null) whole = outcome;
    else mustAgree(`the same bytes in one piece and ${how}`, whole, outcome, input);
  }
}
