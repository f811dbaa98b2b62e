/**
 * Where a small request's time goes: connection, engine, exchange, rings and host in one thread, without a socket, so that
 * each stage can be timed separately and no other process is measured. Over HTTP/2 the requests of a batch are streams of one
 * connection. Over HTTP/1.1 each has a connection of its own, or all are pipelined on one.
 *
 * - `in`: bytes of a socket, to OPEN in the ring: frames, HPACK, the rules of RFC 9113 or 9112, routing, the exchange;
 * - `thread`: OPEN out of the ring, to HEAD in the other: the claim, the application, the checks of its response;
 * - `after`: the microtasks that follow: the application's function has returned;
 * - `out`: HEAD out of the ring, to bytes for the socket: HPACK, frames, or the head of HTTP/1.1.
 *
 * A stage's time is what a batch takes by the clock, for one request, as the median over batches. So it excludes whatever
 * interrupts a batch, including the collector's pauses. The line `cpu` is the processor time for everything, including the
 * collector: the median over samples, and the least.
 *
 * With --observe the named features of observability are on: metrics are kept, requests get identifiers, responses have Server-Timing.
 *
 * `node bench/request-path.ts [--protocol h2,http1,pipelined] [--load h2load,browser] [--application sync,async,node,fetch,generator] [--observe metrics,ids,timing] [--batch 32] [--samples 20] [--json]`
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { OutputBuffers } from '../runtime/bytes/output-buffers.ts';
import type { Front } from '../runtime/connections/front.ts';
import { Http1Connection } from '../runtime/connections/http1.ts';
import { Http2Connection } from '../runtime/connections/http2.ts';
import { Labels } from '../runtime/connections/labels.ts';
import { Deadlines } from '../runtime/deadlines/deadlines.ts';
import type { Destination } from '../runtime/exchange/exchange.ts';
import { OutcomeCounters } from '../runtime/exchange/outcomes.ts';
import { Http1Caches } from '../runtime/http1/caches.ts';
import type { Http1Options } from '../runtime/http1/options.ts';
import { HpackEncoder } from '../runtime/http2/hpack/encoder.ts';
import { http2Options } from '../runtime/http2/options.ts';
import { RequestIds } from '../runtime/logging/request-ids.ts';
import { RequestDurations } from '../runtime/monitoring/request-durations.ts';
import { Dispatcher } from '../runtime/pools/dispatcher.ts';
import { Thread } from '../runtime/pools/thread.ts';
import { Reactor } from '../runtime/server/reactor.ts';
import { Router } from '../runtime/server/router.ts';
import { fromFetch } from '../workers/adapters/fetch/from-fetch.ts';
import { installGlobals } from '../workers/adapters/fetch/globals.ts';
import { installBeforeModule } from '../workers/adapters/fetch/kept-globals.ts';
import { LightResponse } from '../workers/adapters/fetch/light-response.ts';
import { fromNode } from '../workers/adapters/node/from-node.ts';
import { fromGenerator } from '../workers/faces/generator.ts';
import type { Application } from '../workers/gateway.ts';
import { Host } from '../workers/thread/host.ts';
import { type Observation, observationsOf } from './observation.ts';
import { median } from './statistics.ts';

// As a thread with Fetch handlers has them.
installBeforeModule(true);
installGlobals(true);

const STAGES = ['in', 'thread', 'after', 'out'] as const;
type Stage = (typeof STAGES)[number];

const body = Buffer.from('hello, world\n');
const fields = Object.freeze({ 'content-type': 'text/plain', 'content-length': String(body.length) });

const text = body.toString();
const fieldsOfFetch = { headers: fields };
const frozenType = Object.freeze({ 'content-type': 'text/plain' });

const applications: { readonly [name: string]: Application } = {
  sync: (exchange) => exchange.respond(200, fields, body),
  async: async (exchange) => exchange.respond(200, fields, body),
  nulls: async (exchange) => {
    await null;
    await null;
    exchange.respond(200, fields, body);
  },
  /** As `async`, but it also reads three fields. */
  fields: async (exchange) => {
    const { fields: asked } = exchange.request;
    if (asked.get('accept-encoding') === asked.get('x') && asked.has('y')) return;
    exchange.respond(200, fields, body);
  },
  /** The faces of bench/applications/faces. */
  node: fromNode((_req, res) => {
    res.writeHead(200, fields);
    res.end(body);
  }),
  fetch: fromFetch(() => new LightResponse(text, fieldsOfFetch) as never),
  generator: fromGenerator(async function* () {
    yield { status: 200, fields };
    yield body;
  }),
  /** Leaves the length to Sluice. */
  unmeasured: async (exchange) => exchange.respond(200, frozenType, body),
  /** Creates new fields for each response. */
  fresh: async (exchange) => {
    exchange.respond(200, { 'content-type': 'text/plain', 'content-length': String(body.length) }, body);
  },
};

const browserFields = [
  'sec-ch-ua',
  '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"',
  'sec-ch-ua-mobile',
  '?0',
  'sec-ch-ua-platform',
  '"Linux"',
  'upgrade-insecure-requests',
  '1',
  'user-agent',
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'accept',
  'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8',
  'sec-fetch-site',
  'same-origin',
  'sec-fetch-mode',
  'navigate',
  'sec-fetch-user',
  '?1',
  'sec-fetch-dest',
  'document',
  'referer',
  'https://example.org/products?page=3',
  'accept-encoding',
  'gzip, deflate, br, zstd',
  'accept-language',
  'en-GB,en;q=0.9,de;q=0.8',
  'cookie',
  'session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=yes',
  'priority',
  'u=0, i',
];

interface Load {
  readonly authority: string;
  readonly path: (request: number) => string;
  readonly fields: readonly string[];
}

const loads: { readonly [name: string]: Load } = {
  h2load: { authority: '127.0.0.1:21001', path: () => '/', fields: ['user-agent', 'h2load nghttp2/1.52.0'] },
  browser: {
    authority: 'example.org:8443',
    path: (request) => `/products/${1000 + ((request * 7919) % 4096)}?currency=eur`,
    fields: browserFields,
  },
};

const protocols = ['h2', 'http1', 'pipelined'] as const;
type Protocol = (typeof protocols)[number];

const statusLine = Buffer.from('HTTP/1.1 200 OK\r\n');

/** Responses that have ended, on all connections. */
interface Answers {
  count: number;
}

/** A socket that takes everything at once, as far as the connection needs one. */
class OpenSocket extends EventEmitter {
  readonly writableLength = 0;
  readonly readableLength = 0;
  readonly #answers: Answers;
  readonly #isHttp1: boolean;

  constructor(answers: Answers, isHttp1: boolean) {
    super();
    this.#answers = answers;
    this.#isHttp1 = isHttp1;
  }

  setNoDelay(): void {}
  cork(): void {}
  uncork(): void {}
  resume(): void {}
  destroy(): void {}
  isPaused(): boolean {
    return false;
  }
  write(bytes: Buffer): boolean {
    if (this.#isHttp1) {
      let at = bytes.indexOf(statusLine);
      if (at !== 0) throw new Error('no response');
      for (; at !== -1; at = bytes.indexOf(statusLine, at + 1)) this.#answers.count++;
      return true;
    }
    for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
      const type = bytes[at + 3] as number;
      if (type === 0 || type === 1) this.#answers.count += (bytes[at + 4] as number) & 1;
      else if (type === 3 || type === 7) throw new Error(`a frame of type ${type}`);
    }
    return true;
  }
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, 9);
  return bytes;
}

/** A client that sends batches of HEADERS. Its HPACK table no longer changes after the first few. */
class Client {
  readonly #encoder = new HpackEncoder({
    maxTableBytes: 4096,
    // As browsers and h2load do.
    indexingOf: (name) => (name === ':path' ? 1 : 2),
  });
  readonly #load: Load;
  readonly #batch: number;
  readonly #ready: Buffer[] = [];
  #requests = 0;
  #streamId = 1;
  #batches = 0;

  constructor(load: Load, batch: number) {
    this.#load = load;
    this.#batch = batch;
  }

  /** Batches that were made ahead are reused with other stream ids. */
  next(): Buffer {
    const ready = this.#ready[this.#batches % 64];
    let bytes: Buffer;
    if (this.#batches < 128 || ready === undefined) {
      bytes = this.#make();
      this.#ready[this.#batches % 64] = bytes;
    } else {
      bytes = ready;
    }
    for (let at = 0; at < bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
      if (bytes[at + 3] !== 1) continue;
      bytes.writeUInt32BE(this.#streamId, at + 5);
      this.#streamId += 2;
    }
    this.#batches++;
    return Buffer.from(bytes);
  }

  #make(): Buffer {
    const frames: Buffer[] = [];
    const { authority, path, fields: own } = this.#load;
    for (let i = 0; i < this.#batch; i++) {
      const list = [':method', 'GET', ':scheme', 'http', ':authority', authority, ':path'];
      list.push(path(this.#requests++), ...own);
      const block = Buffer.alloc(this.#encoder.maxEncodedBytes(list));
      const length = this.#encoder.encodeFields(list, block, 0);
      frames.push(frame(1, 5, 0, block.subarray(0, length)));
    }
    if (this.#batches % 64 === 0) {
      const increment = Buffer.alloc(4);
      increment.writeUInt32BE(64 * this.#batch * body.length);
      frames.push(frame(8, 0, 0, increment));
    }
    return Buffer.concat(frames);
  }
}

/** A request as it is sent on an HTTP/1.1 connection. */
function http1Request({ authority, path, fields: own }: Load, request: number): Buffer {
  let text = `GET ${path(request)} HTTP/1.1\r\nHost: ${authority}\r\n`;
  for (let i = 0; i < own.length; i += 2) text += `${own[i]}: ${own[i + 1]}\r\n`;
  return Buffer.from(`${text}\r\n`, 'latin1');
}

/** The configuration's defaults, except that no connection reaches its last request. */
const http1Options: Http1Options = {
  maxTargetBytes: 8_192,
  maxHeaderBytes: 16_384,
  maxFieldLines: 128,
  maxRequestsPerConnection: Number.MAX_SAFE_INTEGER,
  maxPipelinedRequests: 128,
  maxParallelRequests: 32,
  smallChunks: { burst: 262_144, perSecond: 16_384 },
  maxDiscardedBytes: 262_144,
  discardTimeoutMs: 5_000,
  halfCloseTimeoutMs: 1_000,
  keepAliveTimeoutMs: 5_000,
  upgradeH2c: true,
  headerTimeoutMs: 10_000,
  requestWindowBytes: 131_072,
  maxRequestWindowBytes: 1_048_576,
  outputLimitBytes: 262_144,
};

/** Callbacks of `setImmediate`, which the benchmark calls itself. */
const immediates: (() => void)[] = [];
const setTurn = globalThis.setImmediate;

function setUp(
  protocol: Protocol,
  load: Load,
  application: Application,
  observed: ReadonlySet<Observation>,
  batch: number,
) {
  globalThis.setImmediate = ((callback: () => void) => {
    immediates.push(callback);
  }) as unknown as typeof setImmediate;
  const reactor = new Reactor(1000, () => undefined);
  const dispatcher = new Dispatcher(
    { maxQueuedJobs: 1024, maxWaitMs: 10_000, recallAfterMs: 1000 },
    reactor,
    () => undefined,
  );
  const raise = (_: unknown, error: unknown): never => {
    throw error;
  };
  const thread = new Thread(
    'bench',
    { onRoom: (one) => dispatcher.onRoom(one), onCorrupt: raise },
    reactor,
    1024,
    2 ** 20,
  );
  const hostFrom = immediates.length;
  const host = new Host(
    application,
    thread.transfer,
    {
      application: 'file:///bench.mjs',
      pool: 'bench',
      requestWindowBytes: 65_536,
      creditEveryBytes: 16_384,
      responseWindowBytes: 65_536,
      writeBacklogBytes: 1_048_576,
      ...(observed.has('ids') && { requestIdField: 'x-request-id' }),
    },
    {
      onFailure: (error) => {
        throw error;
      },
    },
  );
  const hostTurn = immediates[hostFrom];
  thread.channel.unref();
  thread.transfer.port.unref();
  thread.state = 'ready';
  dispatcher.threads.push(thread);
  reactor.addThread(thread);
  const destination: Destination = {
    dispatcher,
    responseWindowBytes: 65_536,
    maxResponseWindowBytes: 65_536,
    retryAfterSeconds: 1,
    maxBodyBytes: 1_048_576,
    minRequestBytesPerSecond: 240,
    websocket: false,
    connect: false,
    outcomes: new OutcomeCounters(),
    ...(observed.has('metrics') && {
      onEnded: new RequestDurations(() => reactor.nowMs).of({ route: '/*', pool: 'bench' }),
    }),
  };
  const labels = new Labels({
    ids: observed.has('ids') ? new RequestIds('x-request-id') : null,
    answersIds: true,
    answersTiming: observed.has('timing'),
    nowMs: () => reactor.nowMs,
  });
  const date = new Date().toUTCString();
  const front = {
    reactor,
    router: new Router([{ host: '*', path: '/*', target: destination }]),
    http2: http2Options({ budgets: { tinyWindowUpdates: { burst: 1e9, perSecond: 1e9 } } }),
    http1: http1Options,
    http1Caches: new Http1Caches(),
    buffers: new OutputBuffers(),
    deadlines: new Deadlines(
      {
        requestRate: { bytesPerSecond: 240, windowMs: 5000 },
        responseRate: { bytesPerSecond: 240, windowMs: 5000 },
        exchangeTimeoutMs: 0,
      },
      reactor.nowMs,
    ),
    maxTargetBytes: 8192,
    labels: observed.has('ids') || observed.has('timing') ? labels : null,
    date: () => date,
    onFault: (error: unknown) => {
      throw error;
    },
    forget: () => undefined,
    onRequestRefused: (_refusal: unknown, _peer: unknown, why: string) => {
      throw new Error(why);
    },
  } as unknown as Front;
  const answers: Answers = { count: 0 };
  const peer = {
    address: '127.0.0.1',
    port: 54_321,
    scheme: 'http',
    tls: '',
    forwarding: null,
    allowsHttp2: true,
  } as const;
  if (protocol !== 'h2') {
    const perConnection = protocol === 'pipelined' ? batch : 1;
    const sockets = Array.from({ length: batch / perConnection }, (_, index) => {
      const socket = new OpenSocket(answers, true);
      const connection = new Http1Connection(socket as unknown as Socket, front, {
        ...peer,
        port: 50_000 + index,
      });
      connection.begin(Buffer.alloc(0));
      return socket;
    });
    let requests = 0;
    const next = (): Buffer[] =>
      sockets.map(() =>
        Buffer.concat(Array.from({ length: perConnection }, () => http1Request(load, requests++))),
      );
    return { answers, sockets, host, hostTurn, next };
  }
  const socket = new OpenSocket(answers, false);
  const preface = Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(4, 0, 0, Buffer.alloc(0)),
    frame(8, 0, 0, Buffer.from([0x3f, 0, 0, 0])),
  ]);
  new Http2Connection(socket as unknown as Socket, front, preface, peer);
  const client = new Client(load, batch);
  return { answers, sockets: [socket], host, hostTurn, next: () => [client.next()] };
}

interface Result {
  readonly stages: { readonly [stage in Stage]: number };
  readonly totalNs: number;
  readonly cpuNs: number;
  readonly leastCpuNs: number;
}

async function measure(
  protocol: Protocol,
  load: Load,
  application: Application,
  observed: ReadonlySet<Observation>,
  batch: number,
  samples: number,
): Promise<Result> {
  const parts = setUp(protocol, load, application, observed, batch);
  const { answers, sockets, host, hostTurn, next: nextBatch } = parts;
  const perStage: { [stage in Stage]: number[] } = { in: [], thread: [], after: [], out: [] };
  const cpu: number[] = [];
  const batchesPerSample = Math.ceil(16_384 / batch);
  for (let sample = -10; sample < samples; sample++) {
    const batches: Buffer[][] = [];
    for (let i = 0; i < batchesPerSample; i++) batches.push(nextBatch());
    const before = process.threadCpuUsage();
    for (const reads of batches) {
      // As under load: both sides are awake, and no doorbell is rung.
      if (!immediates.includes(hostTurn as () => void)) host.onWake();
      const spent: { [stage in Stage]: number } = { in: 0, thread: 0, after: 0, out: 0 };
      const wanted = answers.count + batch;
      let stage: Stage = 'in';
      let idle = 0;
      let since = performance.now();
      const next = (to: Stage) => {
        const now = performance.now();
        spent[stage] += now - since;
        since = now;
        stage = to;
      };
      for (let i = 0; i < reads.length; i++) sockets[i]?.emit('data', reads[i]);
      while (answers.count < wanted) {
        const turn = immediates.shift();
        if (turn === undefined) {
          // The host waits for ticks and microtasks.
          next('after');
          await new Promise((resolve) => setTurn(resolve));
          if (++idle > 1000) throw new Error('no side wants a turn');
          continue;
        }
        idle = 0;
        next(turn === hostTurn ? 'thread' : 'out');
        turn();
        if (turn !== hostTurn) continue;
        next('after');
        await new Promise((resolve) => setTurn(resolve));
      }
      next('in');
      if (sample >= 0) for (const each of STAGES) perStage[each].push((spent[each] * 1e6) / batch);
    }
    const after = process.threadCpuUsage(before);
    if (sample >= 0) cpu.push(((after.user + after.system) * 1000) / (batchesPerSample * batch));
  }
  const stages = Object.fromEntries(
    STAGES.map((stage) => [stage, median(perStage[stage])]),
  ) as Result['stages'];
  const totalNs = STAGES.reduce((sum, stage) => sum + stages[stage], 0);
  return { stages, totalNs, cpuNs: median(cpu), leastCpuNs: Math.min(...cpu) };
}

const { values } = parseArgs({
  options: {
    protocol: { type: 'string', default: 'h2' },
    load: { type: 'string', default: 'h2load,browser' },
    application: { type: 'string', default: 'async' },
    observe: { type: 'string', default: '' },
    batch: { type: 'string', default: '32' },
    samples: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
  },
});
const protocolNames = values.protocol.split(',') as Protocol[];
for (const name of protocolNames) {
  if (!protocols.includes(name))
    throw new Error(`--protocol: expected some of ${protocols.join(', ')}, got ${name}`);
}
const loadNames = values.load.split(',');
const applicationNames = values.application.split(',');
for (const protocol of protocolNames) {
  for (const loadName of loadNames) {
    for (const applicationName of applicationNames) await report(protocol, loadName, applicationName);
  }
}

async function report(protocol: Protocol, loadName: string, applicationName: string): Promise<void> {
  const load = loads[loadName] as Load;
  const application = applications[applicationName] as Application;
  immediates.length = 0;
  const result = await measure(
    protocol,
    load,
    application,
    observationsOf(values.observe),
    Number(values.batch),
    Number(values.samples),
  );
  if (values.json) {
    console.log(JSON.stringify({ protocol, load: loadName, application: applicationName, ...result }));
    return;
  }
  const stages = STAGES.map((stage) => `${stage} ${result.stages[stage].toFixed(0)}`).join('  ');
  console.log(
    `${protocol.padEnd(9)} ${loadName.padEnd(8)} ${applicationName.padEnd(6)} ${stages}  sum ${result.totalNs.toFixed(0)} ns  cpu ${result.cpuNs.toFixed(0)} ns, least ${result.leastCpuNs.toFixed(0)}`,
  );
}
// Ends doorbells and sockets that are never closed.
process.exit();
