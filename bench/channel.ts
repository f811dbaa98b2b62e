/**
 * The channel alone, against `postMessage`: two threads, real messages, no HTTP and no sockets.
 *
 * - Round trips: a request head with eight fields goes to the thread, and a response head with three fields
 *   and a body of 13 bytes comes back, with a fixed number in flight.
 * - Bodies: the thread sends body bytes as fast as credit allows. The receiver copies each piece into an
 *   output buffer, as the reactor does, and grants credit again.
 *
 * `postMessage` gets the same content in the form that is natural for it: an object per message, cloned; for
 * bodies also with the buffer transferred, which needs a fresh buffer for each piece. Every measurement has a
 * fresh thread, and the order of the contenders alternates from round to round.
 *
 * `node bench/channel.ts` prints the table. The benchmark's scenario calls `run`.
 */
import { isMainThread, MessageChannel, type MessagePort, Worker, workerData } from 'node:worker_threads';
import { type ChannelTransfer, createChannel, openChannel } from '../wire/channel.ts';
import type { ChannelEnd } from '../wire/end.ts';
import { Flag, type ReactorHandler, type ThreadHandler } from '../wire/messages.ts';
import type { ThreadEnd } from '../wire/thread-end.ts';
import type { Comparison, ScenarioResult } from './comparison.ts';
import { median, medianRatio } from './statistics.ts';

type Contender = 'channel' | 'postMessage' | 'postMessage, transferred';

/** Either `inFlight` requests at a time, or pieces of `pieceBytes` as fast as credit allows. */
interface Load {
  readonly kind: 'roundTrips' | 'bodies';
  readonly size: number;
}

interface Assignment {
  readonly contender: Contender;
  readonly load: Load;
  readonly port: MessagePort;
  readonly channel: ChannelTransfer | null;
}

export interface ChannelBenchOptions {
  readonly rounds?: number;
  /** Duration of a measurement, after a warm-up of half as much. */
  readonly milliseconds?: number;
}

const REQUEST_FIELDS = [
  ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ['accept', 'text/html,application/xhtml+xml'],
  ['accept-language', 'en-GB,en;q=0.9'],
  ['accept-encoding', 'gzip, deflate, br'],
  ['cookie', 'session=8f14e45fceea167a5a36dedd4bea2543'],
  ['referer', 'https://example.org/products'],
  ['x-request-id', '0191d3f0-5c1e-7a3b-9f00-2f4d8a9b1c2d'],
  ['cache-control', 'no-cache'],
].flat();
const RESPONSE_FIELDS = [
  'content-type',
  'text/plain; charset=utf-8',
  'content-length',
  '13',
  'vary',
  'accept',
];
const RESPONSE_BODY = Buffer.from('hello, world\n');

/** Credit that a body's receiver keeps open, and how much it returns at a time. */
const WINDOW_BYTES = 2 ** 19;
const CREDIT_STEP_BYTES = WINDOW_BYTES >> 2;
const OUTPUT_BYTES = 2 ** 18;
/** Turns without a message before a side sleeps: they take about as long as a doorbell takes to wake it. */
const POLLS_BEFORE_SLEEP = 32;

/** Takes turns on a channel as its owner would. */
function takeTurns(end: ChannelEnd, work: () => void): { wake(): void } {
  let polls = 0;
  let isScheduled = false;
  const turn = () => {
    if (end.state === 'closed') return;
    polls = end.receive(512) > 0 ? 0 : polls + 1;
    work();
    end.publish();
    if (polls > POLLS_BEFORE_SLEEP && end.sleep()) isScheduled = false;
    else setImmediate(turn);
  };
  const wake = () => {
    polls = 0;
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(turn);
  };
  wake();
  return { wake };
}

const unexpected = (): never => {
  throw new Error('a message that this load does not have');
};
const raise = (error: Error): never => {
  throw error;
};

// ---- the thread's side

interface Opened {
  readonly slot: number;
  readonly method: string;
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly version: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly fields: string[];
}

interface Answered {
  readonly slot: number;
  readonly status: number;
  readonly fields: string[];
  readonly body: Uint8Array;
}

function serve({ contender, load, port, channel }: Assignment): void {
  const piece = Buffer.alloc(load.size, 'x');
  if (channel === null) {
    servePostMessage(port, load, piece, contender !== 'postMessage');
    return;
  }
  let credit = 0;
  const handler: ThreadHandler = {
    onOpen(slot, generation) {
      if (!end.claims.claim(slot, generation)) unexpected();
      end.sendHead(slot, Flag.End | Flag.Final, 200, RESPONSE_FIELDS, RESPONSE_BODY);
    },
    onCredit(_slot, bytes) {
      credit += bytes;
    },
    onData: unexpected,
    onTrailers: unexpected,
    onReset: unexpected,
    onPromised: unexpected,
    onTimes: unexpected,
    onWake: () => turns.wake(),
    onWritable: () => turns.wake(),
    onCorrupt: raise,
  };
  const end: ThreadEnd = openChannel(channel, handler);
  const turns = takeTurns(end, () => {
    while (credit >= piece.length && end.sendData(0, 0, piece, 0, piece.length)) credit -= piece.length;
  });
}

function servePostMessage(port: MessagePort, load: Load, piece: Buffer, isTransferred: boolean): void {
  if (load.kind === 'roundTrips') {
    port.on('message', ({ slot }: Opened) => {
      port.postMessage({ slot, status: 200, fields: RESPONSE_FIELDS, body: new Uint8Array(RESPONSE_BODY) });
    });
    return;
  }
  let credit = 0;
  port.on('message', (bytes: number) => {
    credit += bytes;
    for (; credit >= piece.length; credit -= piece.length) {
      const body = isTransferred ? new Uint8Array(piece) : piece;
      port.postMessage(body, isTransferred ? [body.buffer as ArrayBuffer] : []);
    }
  });
}

// ---- the reactor's side

/** The contender's side in this thread: `start` begins the load, and `done` counts round trips or bytes. */
interface Driver {
  start(): void;
  readonly done: number;
  stop(): void;
}

function driveChannel(load: Load): { driver: Driver; channel: ChannelTransfer } {
  const output = Buffer.allocUnsafe(OUTPUT_BYTES);
  let done = 0;
  let ungranted = 0;
  let inFlight = 0;
  const free: number[] = [];
  const handler: ReactorHandler = {
    onHead(slot, flags, status, fields, _bytes, start, finish) {
      if (status !== 200 || flags !== 3 || fields.length !== 6 || finish - start !== 13) unexpected();
      end.claims.release(slot);
      free.push(slot);
      inFlight--;
      done++;
    },
    onData(_slot, _flags, bytes, start, finish) {
      bytes.copy(output, done & (OUTPUT_BYTES / 2 - 1), start, finish);
      done += finish - start;
      ungranted += finish - start;
      if (ungranted >= CREDIT_STEP_BYTES) request();
    },
    onInform: unexpected,
    onTrailers: unexpected,
    onCredit: unexpected,
    onReset: unexpected,
    onClosed: unexpected,
    onPush: unexpected,
    onPad: unexpected,
    onWake: () => turns.wake(),
    onWritable: () => turns.wake(),
    onCorrupt: raise,
  };
  const { reactor: end, transfer: channel } = createChannel(handler);
  for (let slot = 0; slot < 256; slot++) free.push(slot);
  let target = 0;
  const request = () => {
    while (inFlight < target) {
      const slot = free.pop() as number;
      const generation = end.claims.queue(slot);
      inFlight++;
      const { method, scheme, authority, path, version, remoteAddress, remotePort } = HEAD;
      end.sendOpen(
        slot,
        generation,
        Flag.End,
        method,
        scheme,
        authority,
        path,
        version,
        remoteAddress,
        remotePort,
        0,
        REQUEST_FIELDS,
      );
    }
    if (ungranted >= CREDIT_STEP_BYTES) {
      end.sendCredit(0, ungranted);
      ungranted = 0;
    }
  };
  const turns = takeTurns(end, request);
  const driver: Driver = {
    start() {
      if (load.kind === 'roundTrips') target = load.size;
      else ungranted = WINDOW_BYTES;
      turns.wake();
    },
    get done() {
      return done;
    },
    stop() {
      end.close();
    },
  };
  return { driver, channel };
}

const HEAD = {
  method: 'GET',
  scheme: 'https',
  authority: 'example.org:8443',
  path: '/products/42?currency=eur',
  version: '2',
  remoteAddress: '127.0.0.1',
  remotePort: 54_321,
};

function drivePostMessage(load: Load, port: MessagePort): Driver {
  const output = Buffer.allocUnsafe(OUTPUT_BYTES);
  let done = 0;
  let ungranted = 0;
  const request = (slot: number) => port.postMessage({ slot, ...HEAD, fields: REQUEST_FIELDS });
  if (load.kind === 'roundTrips') {
    port.on('message', ({ slot, status, fields, body }: Answered) => {
      if (status !== 200 || fields.length !== 6 || body.length !== 13) unexpected();
      done++;
      request(slot);
    });
  } else {
    port.on('message', (body: Uint8Array) => {
      output.set(body, done & (OUTPUT_BYTES / 2 - 1));
      done += body.length;
      ungranted += body.length;
      if (ungranted < CREDIT_STEP_BYTES) return;
      port.postMessage(ungranted);
      ungranted = 0;
    });
  }
  return {
    start() {
      if (load.kind === 'bodies') port.postMessage(WINDOW_BYTES);
      else for (let slot = 0; slot < load.size; slot++) request(slot);
    },
    get done() {
      return done;
    },
    stop() {},
  };
}

/** Round trips or bytes per second. */
async function measure(contender: Contender, load: Load, milliseconds: number): Promise<number> {
  const { port1, port2 } = new MessageChannel();
  const channelDriver = contender === 'channel' ? driveChannel(load) : null;
  const driver = channelDriver?.driver ?? drivePostMessage(load, port1);
  const channel = channelDriver?.channel ?? null;
  const assignment: Assignment = { contender, load, port: port2, channel };
  const worker = new Worker(new URL(import.meta.url), {
    workerData: assignment,
    transferList: channel === null ? [port2] : [port2, channel.port],
  });
  try {
    driver.start();
    // A thread takes its time to load on a busy machine, so the measurement starts with its first reply.
    while (driver.done === 0) await elapse(10);
    await elapse(milliseconds / 2);
    const before = driver.done;
    const startMs = performance.now();
    await elapse(milliseconds);
    return ((driver.done - before) * 1000) / (performance.now() - startMs);
  } finally {
    driver.stop();
    await worker.terminate();
    port1.close();
  }
}

function elapse(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const CASES: readonly (Load & { title: string; targetRatio?: number })[] = [
  { kind: 'roundTrips', size: 1, title: 'Round trips, 1 in flight' },
  { kind: 'roundTrips', size: 8, title: 'Round trips, 8 in flight' },
  { kind: 'roundTrips', size: 64, title: 'Round trips, 64 in flight', targetRatio: 1.2 },
  { kind: 'roundTrips', size: 256, title: 'Round trips, 256 in flight' },
  { kind: 'bodies', size: 16_384, title: 'Bodies in pieces of 16 KiB', targetRatio: 2 },
  { kind: 'bodies', size: 65_536, title: 'Bodies in pieces of 64 KiB', targetRatio: 2 },
];

export async function run({
  rounds = 5,
  milliseconds = 400,
}: ChannelBenchOptions = {}): Promise<ScenarioResult> {
  const comparisons: Comparison[] = [];
  for (const { kind, size, title, targetRatio } of CASES) {
    const contenders: Contender[] = ['channel', 'postMessage'];
    if (kind === 'bodies') contenders.push('postMessage, transferred');
    const samples: Record<string, number[]> = {};
    for (const contender of contenders) samples[contender] = [];
    for (let round = 0; round < rounds; round++) {
      for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
        const perSecond = await measure(contender, { kind, size }, milliseconds);
        samples[contender].push(kind === 'bodies' ? Math.round(perSecond / 1e5) / 10 : Math.round(perSecond));
      }
    }
    comparisons.push({
      title,
      unit: kind === 'bodies' ? 'MB/s' : 'round trips/s',
      baseline: 'postMessage',
      samples,
      ...(targetRatio === undefined
        ? {}
        : { targets: [{ contender: 'channel', of: 'ratio', bound: 'at least', limit: targetRatio }] }),
    });
  }
  return {
    comparisons,
    method:
      'Two threads. Round trips: a request head with eight fields out, a response head with three fields and 13 body ' +
      'bytes back. Bodies: one direction, 512 KiB of credit, each piece copied into an output buffer. ' +
      `A fresh thread for each measurement of ${milliseconds} ms after a warm-up of half as much; order alternates.`,
  };
}

function print({ comparisons }: ScenarioResult): void {
  for (const { title, unit, baseline, samples } of comparisons) {
    console.log(title);
    for (const [contender, values] of Object.entries(samples)) {
      const ratio = medianRatio(values, samples[baseline] as number[]).toFixed(2);
      console.log(
        `  ${contender.padEnd(26)}${String(median(values)).padStart(9)} ${unit}  ${ratio} x  (${values.join(' ')})`,
      );
    }
  }
}

if (!isMainThread && workerData?.contender !== undefined) serve(workerData as Assignment);
else if (import.meta.main) print(await run());
