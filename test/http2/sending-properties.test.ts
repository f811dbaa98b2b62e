/**
 * Sending, checked against a model of the peer, for any order of actions by the owner, the peer and the
 * socket.
 */
import test from 'ava';
import fc from 'fast-check';
import type { OutputChunk } from '../../runtime/bytes/output-buffers.ts';
import { Flag, FrameType } from '../../runtime/http2/frames.ts';
import { SettingId } from '../../runtime/http2/settings.ts';
import { type Frame, get, parseFrames, rstStream, settings, windowUpdate } from './frames.ts';
import { Peer } from './peer.ts';

const streamIds = [1, 3, 5, 7];
const initialWindow = 2000;
const outputLimitBytes = 3000;
/** Heads and trailers wait from half-way between the two on. */
const maxUnsentBytes = 47_000;
const sectionLimitBytes = 25_000;
const mostStepBytes = 5000;

const step = fc.record({
  act: fc.constantFrom(
    'head',
    'write',
    'write',
    'write',
    'end',
    'bareEnd',
    'trailers',
    'update',
    'connection',
    'take',
    'taken',
    'setting',
    'reset',
    'peerReset',
  ),
  id: fc.constantFrom(...streamIds),
  bytes: fc.integer({ min: 0, max: mostStepBytes }),
});

/** A peer that sends no priority, and peers that the scheduler treats differently. */
const priorities = [null, 'u=1', 'i', 'u=1, i', 'u=3'];

/** What the peer records of one stream. */
class ModelStream {
  window = initialWindow;
  written = 0;
  received = 0;
  /** The head has arrived. */
  headed = false;
  ended = false;
  /** The owner has given the head. */
  responded = false;
  /** The owner has ended it. */
  closing = false;
  /** Reset by either side. */
  dead = false;
}

class Model {
  readonly peer: Peer;
  readonly streams = new Map(streamIds.map((id) => [id, new ModelStream()]));
  readonly #withSocket: OutputChunk[] = [];
  connectionWindow = 65_535;
  initialWindow = initialWindow;
  /**
   * Initial windows that the engine has not acknowledged: frames that arrive before the ACK are under the old
   * one (6.5.3).
   */
  readonly announced: number[] = [];

  /** Bytes of a field's value for each byte of a step. With 4, sections wait for the socket, and one may exceed a frame. */
  readonly #valueBytes: number;

  constructor(valueBytes: number) {
    this.#valueBytes = valueBytes;
    this.peer = Peer.open(
      { outputLimitBytes, maxUnsentBytes },
      {},
      SettingId.InitialWindowSize,
      initialWindow,
    );
    for (const id of streamIds) {
      const priority = priorities[streamIds.indexOf(id) % priorities.length];
      this.peer.send(priority === null ? get(id) : get(id, 'priority', priority));
    }
    this.peer.take();
  }

  respond(id: number, bytes: number): void {
    const stream = this.stream(id);
    if (stream.responded || stream.closing) return;
    stream.responded = true;
    this.peer.engine.respond(this.peer.stream(id), 200, this.#fields(bytes), false);
  }

  trailers(id: number, bytes: number): void {
    const stream = this.stream(id);
    this.respond(id, 0);
    if (!stream.closing) this.peer.engine.trailers(this.peer.stream(id), this.#fields(bytes));
    stream.closing = true;
  }

  #fields(bytes: number): string[] {
    return ['a', '~'.repeat(this.#valueBytes * bytes)];
  }

  stream(id: number): ModelStream {
    return this.streams.get(id) as ModelStream;
  }

  /** The byte at a position of a stream's content, chosen so that swapped bytes are detected. */
  static byteAt(id: number, position: number): number {
    return (position * 7 + id * 31) & 0xff;
  }

  write(id: number, bytes: number, end: boolean): void {
    const stream = this.stream(id);
    this.respond(id, 0);
    if (stream.closing) return;
    const content = Buffer.alloc(bytes + 6);
    for (let i = 0; i < bytes; i++) content[i + 3] = Model.byteAt(id, stream.written + i);
    stream.written += bytes;
    stream.closing = end;
    this.peer.engine.write(this.peer.stream(id), content, 3, 3 + bytes, end);
    // Content that was not placed has been copied, so the owner may reuse its buffer.
    content.fill(0);
  }

  /** The socket is given the output; the peer reads it at once, though the socket may report it late. */
  take(): void {
    for (let chunk = this.peer.engine.takeOutput(); chunk !== null; chunk = this.peer.engine.takeOutput()) {
      this.#withSocket.push(chunk);
      // Frames never straddle two chunks.
      for (const frame of parseFrames(Buffer.from(chunk.buffer.subarray(0, chunk.length)))) this.#read(frame);
    }
  }

  taken(): void {
    const chunk = this.#withSocket.shift();
    if (chunk === undefined) return;
    this.peer.engine.sent(chunk.length);
    this.peer.buffers.release(chunk);
  }

  #read(frame: Frame): void {
    if (frame.type === FrameType.Settings) {
      const announced = this.announced.shift() as number;
      for (const stream of this.streams.values()) stream.window += announced - this.initialWindow;
      this.initialWindow = announced;
      return;
    }
    const stream = this.streams.get(frame.id);
    if (stream === undefined) return;
    if (frame.type === FrameType.RstStream) {
      stream.dead = true;
      return;
    }
    if (frame.type !== FrameType.Data && frame.type !== FrameType.Headers) return;
    if (stream.ended) throw new Error(`stream ${frame.id} goes on after its end`);
    if (frame.type === FrameType.Headers) stream.headed = true;
    if (!stream.headed) throw new Error(`stream ${frame.id}: content before the head`);
    if ((frame.flags & Flag.EndStream) !== 0) stream.ended = true;
    if (frame.type !== FrameType.Data) return;
    stream.window -= frame.payload.length;
    this.connectionWindow -= frame.payload.length;
    if (frame.payload.length > 0 && (stream.window < 0 || this.connectionWindow < 0)) {
      throw new Error(`stream ${frame.id} overruns a window`);
    }
    for (const byte of frame.payload) {
      if (byte !== Model.byteAt(frame.id, stream.received)) throw new Error(`stream ${frame.id}: wrong byte`);
      stream.received++;
    }
  }
}

function apply(model: Model, { act, id, bytes }: { act: string; id: number; bytes: number }): void {
  const { peer } = model;
  const stream = model.stream(id);
  switch (act) {
    case 'head':
      model.respond(id, bytes);
      break;
    case 'write':
      model.write(id, bytes, false);
      break;
    case 'end':
      model.write(id, bytes, true);
      break;
    case 'bareEnd':
      model.write(id, 0, true);
      break;
    case 'trailers':
      model.trailers(id, bytes);
      break;
    case 'update':
      stream.window += bytes + 100;
      peer.send(windowUpdate(id, bytes + 100));
      break;
    case 'connection':
      model.connectionWindow += bytes + 100;
      peer.send(windowUpdate(0, bytes + 100));
      break;
    case 'setting':
      model.announced.push(bytes);
      peer.send(settings(SettingId.InitialWindowSize, bytes));
      break;
    case 'reset':
      stream.closing = true;
      stream.dead = true;
      peer.engine.reset(peer.stream(id), 8);
      break;
    case 'peerReset':
      if (stream.dead || peer.stream(id).state > 3) break;
      stream.closing = true;
      stream.dead = true;
      peer.send(rstStream(id, 8));
      break;
    case 'take':
      model.take();
      break;
    default:
      model.taken();
  }
}

for (const { what, valueBytes, mostUnsentBytes } of [
  // Apart from control frames, at most one frame of content beyond its limit.
  { what: 'short sections', valueBytes: 0, mostUnsentBytes: outputLimitBytes + 16_393 },
  // At most one section beyond their limit.
  { what: 'long sections', valueBytes: 4, mostUnsentBytes: sectionLimitBytes + 4 * mostStepBytes },
]) {
  test(`every byte arrives once, in order, within the windows, and every stream ends once: ${what}`, (t) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const model = new Model(valueBytes);
        const { peer } = model;
        for (const one of steps) {
          apply(model, one);
          peer.engine.endTurn(peer.nowMs);
          if (peer.engine.unsentBytes > mostUnsentBytes + 80 * 40) throw new Error('the output overflows');
        }
        t.is(peer.engine.failure, null);
        // With windows wide open and a socket that takes everything, all written bytes arrive.
        for (const id of streamIds) {
          model.write(id, 0, true);
          model.stream(id).window += 1 << 24;
          if (peer.stream(id).state <= 3) peer.send(windowUpdate(id, 1 << 24));
        }
        model.connectionWindow += 1 << 24;
        peer.send(windowUpdate(0, 1 << 24));
        for (let turn = 0; turn < 1000 && (peer.engine.hasOutput || peer.engine.unsentBytes > 0); turn++) {
          model.take();
          model.taken();
        }
        t.is(peer.engine.unsentBytes, 0);
        t.is(peer.engine.streamCount, 0);
        t.is(peer.buffers.heldCount, 0);
        for (const [id, stream] of model.streams) {
          if (!stream.dead) t.true(stream.ended, `stream ${id} ends`);
          if (!stream.dead) t.is(stream.received, stream.written, `stream ${id}`);
          if (!stream.dead) t.is(peer.sentBytes.get(id) ?? 0, stream.written, 'onSent tells every byte');
          t.is(peer.lines.filter((line) => line.startsWith(`close ${id} `)).length, 1);
        }
      }),
      { numRuns: 1500 },
    );
  });
}
