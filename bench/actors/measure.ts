/**
 * One measurement of messages between threads. It has a process of its own, so that all of the process's CPU
 * time belongs to it: `node bench/actors/measure.ts '{"contender": "Sluice", "load": "ask", "inFlight": 64,
 * "milliseconds": 2000}'`.
 */
import { performance } from 'node:perf_hooks';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { createServer } from '../../runtime/embedding/create-server.ts';
import { residentBytesOfProcess } from '../measure.ts';
import type { Keys } from './caller.ts';
import type { Role } from './threads.ts';
import { CHUNK_BYTES, type Run, STREAM_ITEMS } from './work.ts';

export type ActorContender =
  | 'Sluice'
  | 'Sluice, with a trace'
  | 'Sluice, by way of its reactor'
  | 'Sluice, reuseMemory'
  | 'Comlink'
  | 'postMessage'
  | 'postMessage, by way of the main thread'
  | 'two copies in one thread';

export interface Measurement extends Run {
  readonly contender: ActorContender;
  /** Whether another thread computes at the same time. */
  readonly isBusy: boolean;
}

/** Rates per second, and costs per message. */
export interface Measured {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  /** Share of the time in which the main thread's event loop was at work. */
  readonly mainLoopPercent: number;
}

export interface KeysMeasured extends Measured {
  /** The most that memory grew while these messages were sent. */
  readonly grownBytes: number;
}

const RUNS_BEFORE = 2;

function worker(role: Role): Worker {
  const transferList = role.port === null ? [] : [role.port];
  return new Worker(new URL('threads.ts', import.meta.url), { workerData: role, transferList });
}

/** Joins two threads through this one. */
function joined(): [MessagePort, MessagePort] {
  const [one, other] = [new MessageChannel(), new MessageChannel()];
  one.port2.on('message', (message) => other.port2.postMessage(message));
  other.port2.on('message', (message) => one.port2.postMessage(message));
  return [one.port1, other.port1];
}

type RunIt = (run: Run) => Promise<number>;

function threads(contender: ActorContender): RunIt {
  const by = contender === 'Comlink' ? 'comlink' : 'postMessage';
  let caller: Worker;
  if (contender === 'two copies in one thread') caller = worker({ role: 'copies', by, port: null });
  else {
    const direct = new MessageChannel();
    const isRelayed = contender === 'postMessage, by way of the main thread';
    const [mine, other] = isRelayed ? joined() : [direct.port1, direct.port2];
    worker({ role: 'answers', by, port: other });
    caller = worker({ role: 'caller', by, port: mine });
  }
  return (run) =>
    new Promise((resolve, reject) => {
      caller.once('message', resolve);
      caller.once('error', reject);
      caller.postMessage(run);
    });
}

async function post(body: object): Promise<unknown> {
  const response = await fetch(`http://${address}/`, { method: 'POST', body: JSON.stringify(body) });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return await response.json();
}

let address = '';

async function startSluice(maxChannels?: number): Promise<void> {
  // The same niceness as the other contenders' threads: on a busy machine the measurement would otherwise
  // show the effect of the niceness.
  const ring = { ringBytes: 16_777_216 as const, niceIncrement: 0 };
  const one = { min: 1, max: 1 };
  const stream = {
    maxMessageBytes: 2 * CHUNK_BYTES,
    mailboxBytes: 4 * CHUNK_BYTES,
    streamItems: STREAM_ITEMS,
  };
  const server = createServer(
    {
      listeners: [{ address: '127.0.0.1:0' }],
      pools: {
        callers: { application: './caller.ts', threads: one, ...ring },
        hosts: { module: './hosted.ts', threads: one, ...ring },
      },
      routes: [{ path: '/*', pool: 'callers' }],
      actors: {
        till: { pool: 'hosts', export: 'Till', kind: 'pool', ...stream },
        counted: { pool: 'hosts', export: 'Counted', kind: 'keyed', deadlineMs: 600_000 },
      },
      limits: {
        exchangeTimeoutMs: 0,
        ...(maxChannels !== undefined && { directChannels: { max: maxChannels } }),
      },
    },
    {
      directory: import.meta.dirname,
      log: (line) => {
        if (line.level === 'error') console.error(JSON.stringify(line));
      },
    },
  );
  await server.start();
  address = server.addresses[0]?.address ?? '';
}

/** Begins a measurement. @returns a function that ends it, given the number of messages */
function begin(): (count: number) => Measured {
  const cpu = process.cpuUsage();
  const loop = performance.eventLoopUtilization();
  const startMs = performance.now();
  return (count) => {
    const { user, system } = process.cpuUsage(cpu);
    return {
      perSecond: (count * 1_000) / (performance.now() - startMs),
      cpuMicroseconds: (user + system) / count,
      mainLoopPercent: 100 * performance.eventLoopUtilization(loop).utilization,
    };
  };
}

async function measure({ contender, isBusy, ...run }: Measurement): Promise<Measured> {
  const isSluice = contender.startsWith('Sluice');
  if (isSluice) await startSluice(contender === 'Sluice, by way of its reactor' ? 0 : undefined);
  const runIt: RunIt = isSluice
    ? async (asked) => {
        const how = {
          traced: contender === 'Sluice, with a trace',
          reuses: contender === 'Sluice, reuseMemory',
        };
        return (await post({ ...asked, ...how })) as number;
      }
    : threads(contender);
  const beside = isBusy ? worker({ role: 'computes', by: 'postMessage', port: null }) : null;
  if (beside !== null) await new Promise((resolve) => beside.once('message', resolve));
  for (let n = 0; n < RUNS_BEFORE; n++) await runIt({ ...run, milliseconds: run.milliseconds / 4 });
  const end = begin();
  return end(await runIt(run));
}

/**
 * The same number of messages is sent before the measurement, so that heaps have reached their size and all
 * keys have their instances.
 */
async function measureKeys({ keys, messages }: Keys): Promise<KeysMeasured> {
  await startSluice();
  await tell({ keys, messages }, messages);
  const end = begin();
  const before = residentBytesOfProcess('self');
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, residentBytesOfProcess('self'));
  }, 50);
  await tell({ keys, messages }, 2 * messages);
  clearInterval(timer);
  return { ...end(messages), grownBytes: most - before };
}

async function tell(asked: Keys, expected: number): Promise<void> {
  const { n, faults } = (await post(asked)) as { n: number; faults: number };
  if (n !== expected || faults > 0) throw new Error(`${n} of ${expected} arrived, ${faults} out of order`);
}

const asked = JSON.parse(process.argv[2] ?? '') as Measurement | Keys;
console.log(JSON.stringify('keys' in asked ? await measureKeys(asked) : await measure(asked)));
process.exit(0);
