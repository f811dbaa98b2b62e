/**
 * The HTTP/1.1 engine, whose owner handles each request as its number says: it answers whole, in pieces,
 * late, wrong, or not at all. A conversation has phases; between them the owner acts and the output leaves.
 * However a phase is split, the events and the output are the same. A client of our own reads the output: it
 * expects the answers in order, each as its owner meant it.
 */
import { OutputBuffers } from '../../runtime/bytes/output-buffers.ts';
import { Http1Caches } from '../../runtime/http1/caches.ts';
import { Http1Engine } from '../../runtime/http1/engine.ts';
import { type ClosedBy, type EngineEvents, UpgradeVerdict } from '../../runtime/http1/events.ts';
import { type Http1Message, RequestPhase, ResponsePhase, TunnelPhase } from '../../runtime/http1/message.ts';
import type { Http1Options } from '../../runtime/http1/options.ts';
import type { Refusal } from '../../runtime/http1/refusal.ts';
import { passing } from '../bytes/passing.ts';
import { http1Conversation } from './http1-input.ts';
import { type ResponseExpected, requireResponses } from './http1-responses.ts';
import { Cut, cut } from './mutation.ts';
import { Random } from './random.ts';
import { Finding, mustAgree, type Target } from './target.ts';

/** Long input sent byte by byte takes the time of many short inputs. */
const MOST_SINGLE_BYTES = 6_000;
const DATE = 'Thu, 01 Jan 1970 00:00:00 GMT';
/** More requests than a conversation has, so that each can be identified by its number. */
const MANY = 1_000;

/** Requests that ask for another protocol, with what may follow them. */
const LEAVING: readonly string[] = [
  'CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n',
  'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n\x81\x00',
  'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n',
];

interface Outcome {
  readonly events: readonly string[];
  /** The content that each request received. */
  readonly content: readonly string[];
  /** The output at the end of each phase. */
  readonly output: readonly string[];
  readonly state: string;
}

/** What the owner knows about a request. */
interface Request {
  readonly message: Http1Message;
  readonly expected: ResponseExpected;
  content: string;
  /** The number of calls, so that each of them draws anew. */
  steps: number;
  isClosed: boolean;
}

class Owner implements EngineEvents {
  readonly #engine: Http1Engine;
  readonly #buffers = new OutputBuffers();
  readonly #input: Buffer;
  readonly #seed: number;
  readonly #requests: Request[] = [];
  readonly #events: string[] = [];
  #tunnelled = '';

  constructor(seed: number, input: Buffer) {
    this.#seed = seed;
    this.#input = input;
    const draw = new Random(seed);
    const options: Http1Options = {
      maxTargetBytes: 1_000,
      maxHeaderBytes: draw.pick([300, 16_384]),
      maxFieldLines: draw.pick([4, 100]),
      maxRequestsPerConnection: draw.pick([1, 2, MANY, MANY]),
      maxPipelinedRequests: draw.pick([1, 2, MANY, MANY]),
      maxParallelRequests: draw.pick([1, 2, 8]),
      smallChunks: { burst: MANY, perSecond: 0 },
      discardTimeoutMs: 1_000,
      halfCloseTimeoutMs: 1_000,
      keepAliveTimeoutMs: draw.pick([0, 5_000]),
      upgradeH2c: true,
      headerTimeoutMs: 1_000,
      // Whether a buffer is full, or there is too much to discard, is checked between chunks, so there the
      // splits do show. Other tests cover this.
      maxDiscardedBytes: 1 << 30,
      requestWindowBytes: 1 << 30,
      maxRequestWindowBytes: 1 << 30,
      outputLimitBytes: 1 << 30,
    };
    this.#engine = new Http1Engine(this, options, this.#buffers, new Http1Caches());
  }

  run(phases: readonly Buffer[], how: Cut): Outcome {
    const random = new Random(this.#seed + 1);
    const output: string[] = [];
    for (const bytes of phases) {
      for (const piece of cut(random, bytes, how)) {
        if (this.#engine.state === 'left') break;
        passing(piece, (chunk) => this.#engine.receive(chunk));
        piece.fill(0xff);
      }
      for (const request of this.#requests) this.#act(request);
      output.push(this.#take());
    }
    this.#finish(output);
    return {
      events: this.#events,
      content: this.#requests.map(({ content }) => content),
      output,
      state: this.#engine.state,
    };
  }

  #take(): string {
    const engine = this.#engine;
    engine.endTurn();
    let text = '';
    for (let chunk = engine.takeOutput(); chunk !== null; chunk = engine.takeOutput()) {
      text += chunk.buffer.toString('latin1', 0, chunk.length);
      engine.sent(chunk.length);
      this.#buffers.release(chunk);
    }
    if (engine.unsentBytes !== 0 && engine.state !== 'closed')
      throw new Finding(`${engine.unsentBytes} bytes are said and not taken`, this.#input);
    return text;
  }

  /** One step of the owner for the request. */
  #act(request: Request): void {
    const { message, expected } = request;
    if (!message.isStarted || request.isClosed) return;
    const engine = this.#engine;
    const index = this.#requests.indexOf(request);
    const random = new Random(this.#seed + index * 31 + request.steps++ * 7);
    if (message.tunnel === TunnelPhase.Open) {
      this.#actInTunnel(request, random);
      return;
    }
    switch (random.integer(0, 11)) {
      case 0:
        engine.reset(message, random.integer(0, 13));
        return;
      case 1:
        engine.dropRequest(message);
        break;
      case 2:
      case 3:
        return;
      case 4:
        engine.inform(message, random.pick([100, 102, 103]), ['link', '</a>']);
        break;
      default:
        if (message.unconsumedBytes > 0) engine.consume(message, message.unconsumedBytes);
    }
    if (message.response === ResponsePhase.Awaited) this.#respond(request, random);
    else if (!expected.isEnded) this.#goOn(request, random);
  }

  #respond({ message, expected }: Request, random: Random): void {
    const engine = this.#engine;
    if (message.tunnel === TunnelPhase.Asked && random.chance(60)) {
      expected.isTunnel = true;
      engine.accept(message, message.method === 'CONNECT' ? '' : 'websocket', ['x-id', String(expected.id)]);
      return;
    }
    expected.status = random.pick([200, 200, 204, 304, 404, 408, 500]);
    const fields = ['x-id', String(expected.id), ...(random.chance(10) ? ['trailer', 'x-sum'] : [])];
    const length = random.pick([0, 3, 100, 5_000, 70_000]);
    const isAnnounced = random.chance(30) && expected.status !== 304;
    if (isAnnounced) {
      expected.length = length;
      fields.push('content-length', String(length));
    }
    expected.isEnded = random.chance(20) && (!isAnnounced || length === 0);
    engine.respond(message, expected.status, fields, expected.isEnded);
    if (!expected.isEnded) this.#write(message, expected, length, random.chance(60));
  }

  #goOn({ message, expected }: Request, random: Random): void {
    if (random.chance(30)) {
      expected.isEnded = true;
      this.#engine.trailers(message, ['x-sum', '1']);
      expected.trailers = true;
    } else {
      // Sometimes more or less than was announced.
      const left = expected.length === -1 ? -1 : Math.max(expected.length - expected.content.length, 0);
      const length = left === -1 || random.chance(20) ? random.pick([0, 1, 3_000]) : left;
      this.#write(message, expected, length, random.chance(70));
    }
  }

  #write(message: Http1Message, expected: ResponseExpected, length: number, last: boolean): void {
    const content = Buffer.alloc(length, 'abcdefghij'.charAt(expected.id % 10));
    expected.content += content.toString('latin1');
    if (last) expected.isEnded = true;
    this.#engine.write(message, content, 0, content.length, last);
    content.fill(0xff);
  }

  #actInTunnel({ message, expected }: Request, random: Random): void {
    if (expected.isEnded) return;
    this.#engine.consume(message, message.unconsumedBytes);
    this.#write(message, expected, random.pick([0, 10, 2_000]), random.chance(20));
  }

  /** After the last phase: the peer ends its side, or the socket closes; nothing may be left of either. */
  #finish(output: string[]): void {
    const engine = this.#engine;
    const input = this.#input;
    if (engine.state === 'left') {
      engine.closed();
      this.#requireRest();
      return;
    }
    if (new Random(this.#seed + 2).chance(50)) {
      engine.end();
      output.push(this.#take());
    }
    // Whether the connection had to be closed, or would have stayed open.
    const isWhole = engine.state !== 'aborted';
    engine.closed();
    requireResponses(
      output.join(''),
      this.#requests.map(({ expected }) => expected),
      isWhole,
      input,
    );
    this.#requireRest();
  }

  #requireRest(): void {
    const input = this.#input;
    if (this.#engine.messageCount !== 0)
      throw new Finding(`${this.#engine.messageCount} requests stay open`, input);
    if (this.#buffers.heldCount !== 0)
      throw new Finding(`${this.#buffers.heldCount} buffers are kept`, input);
    const open = this.#requests.findIndex(({ isClosed }) => !isClosed);
    if (open !== -1) throw new Finding(`request ${open} never closed`, input);
  }

  #find(message: Http1Message): Request {
    const request = this.#requests.find((each) => each.message === message);
    if (request === undefined) throw new Finding('an event of a request that was not told', this.#input);
    if (request.isClosed) throw new Finding('an event of a request that has closed', this.#input);
    return request;
  }

  // ---- EngineEvents

  date(): string {
    return DATE;
  }

  onUpgrade({ section, path }: Http1Message): UpgradeVerdict {
    const draw = new Random(this.#seed + path.length);
    if (section.upgrade?.protocols === 'websocket') return UpgradeVerdict.Tunnel;
    return draw.chance(20) ? UpgradeVerdict.Leave : UpgradeVerdict.Ignore;
  }

  onRequest(message: Http1Message): Refusal | null {
    const id = this.#requests.length;
    const { method, path, version, authority } = message;
    if (new Random(this.#seed + id * 13).chance(3)) {
      this.#events.push(`refused ${id}`);
      return { status: 421, why: 'as the case has it' };
    }
    this.#events.push(`request ${id} ${method} ${authority} ${path} ${version}`);
    this.#requests.push({
      message,
      expected: {
        id,
        method,
        version,
        status: 0,
        content: '',
        length: -1,
        isEnded: false,
        isTunnel: false,
        trailers: false,
      },
      content: '',
      steps: 0,
      isClosed: false,
    });
    return null;
  }

  onStart(message: Http1Message): void {
    this.#find(message);
    this.#events.push(`start ${this.#requests.findIndex((each) => each.message === message)}`);
  }

  onData(message: Http1Message, bytes: Uint8Array, start: number, end: number, last: boolean): void {
    const request = this.#find(message);
    const text = Buffer.from(bytes.subarray(start, end)).toString('latin1');
    if (message.tunnel !== TunnelPhase.None) this.#tunnelled += text;
    request.content += text;
    if (last) this.#events.push(`end ${request.expected.id}`);
    else if (message.request === RequestPhase.Ended) throw new Finding('content behind the end', this.#input);
  }

  onTrailers(message: Http1Message, fields: string[]): void {
    this.#events.push(`trailers ${this.#find(message).expected.id} ${fields.join()}`);
  }

  onSent(): void {}

  onRefused(): void {}

  onClose(message: Http1Message, by: ClosedBy, code: number): void {
    const request = this.#find(message);
    request.isClosed = true;
    request.expected.isComplete = by === 'complete';
    this.#events.push(`close ${request.expected.id} ${by} ${code}`);
  }
}

export function openHttp1Engine(): Promise<Target> {
  return Promise.resolve({ run: runCase, close: () => Promise.resolve() });
}

function runCase(random: Random): void {
  const pieces = http1Conversation(random, () => `/${random.integer(0, 99)}`);
  if (random.chance(20))
    pieces.splice(random.integer(0, pieces.length), 0, Buffer.from(random.pick(LEAVING), 'latin1'));
  const phases: Buffer[] = [];
  for (let at = 0; at < pieces.length; ) {
    const count = random.integer(1, 4);
    phases.push(Buffer.concat(pieces.slice(at, at + count)));
    at += count;
  }
  for (let more = random.integer(0, 6); more > 0; more--) phases.push(Buffer.alloc(0));
  const input = Buffer.concat(pieces);
  const seed = random.next() >>> 1;
  const whole = new Owner(seed, input).run(phases, Cut.Whole);
  for (const how of input.length <= MOST_SINGLE_BYTES ? [Cut.Bytes, Cut.Random] : [Cut.Random])
    mustAgree(
      `the same bytes in one piece and ${how}`,
      whole,
      new Owner(seed, input).run(phases, how),
      input,
    );
}
