/** A thousand peers that stop: memory stays within the configured windows, and the next client is served. */
import { setTimeout as delay } from 'node:timers/promises';
import { startClient } from '../clients/background.ts';
import {
  type BenchContext,
  type Comparison,
  inRounds,
  type Scenario,
  type ScenarioResult,
} from '../comparison.ts';
import { nodeHttp2, type Server, sluice } from '../contenders.ts';
import { HELLO } from '../content.ts';
import { load } from '../load.ts';
import { MemorySampler } from '../measure.ts';
import { request } from '../probe.ts';

const CONNECTIONS = 10;
const STREAMS = 100;
/** The window of each exchange and direction. A stalled peer can only fill the window of one direction. */
const WINDOW_BYTES = 65_536;
/**
 * What an open exchange may cost in addition to its bytes. RSS cannot stay below windows × streams when the
 * windows are full. This is small enough that holding the bytes twice would fail.
 */
const EXCHANGE_BYTES = 16_384;
const WARM_UP_REQUESTS = 100_000;
const MIB = 2 ** 20;
const WINDOWS_MIB = (CONNECTIONS * STREAMS * WINDOW_BYTES) / MIB;
const BOUND_MIB = WINDOWS_MIB + (CONNECTIONS * STREAMS * EXCHANGE_BYTES) / MIB;
/** The last client must be served within this time. */
const NEXT_CLIENT_LIMIT_MS = 100;

export const stalled: Scenario = { name: 'stalled', title: 'A thousand stalled peers', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const node = nodeHttp2();
  const ours = sluice({
    name: 'Sluice, 1 thread',
    directory: context.directory,
    pools: {
      stalled: {
        application: 'stalled.ts',
        threads: 1,
        paths: ['/endless', '/hold', '/hello'],
        options: {
          exchangesPerThread: 2_048,
          requestWindowBytes: WINDOW_BYTES,
          responseWindowBytes: WINDOW_BYTES,
        },
      },
    },
    options: { http2: { streamWindowBytes: WINDOW_BYTES } },
  });
  const contenders = [node, ours];
  const metrics = ['RSS growth MiB', 'next client ms', 'sent MiB'] as const;
  const comparisons: Comparison[] = [];
  for (const mode of ['read', 'upload'] as const) {
    context.progress(` ${mode}`);
    const samples = await inRounds(context, contenders, metrics, (server) => measure(context, server, mode));
    const what = mode === 'read' ? 'stalled readers' : 'stalled uploads';
    comparisons.push(
      {
        title: `RSS growth, 1,000 ${what}`,
        unit: 'MiB',
        baseline: node.name,
        samples: samples['RSS growth MiB'],
        targets: [{ contender: ours.name, of: 'value', bound: 'at most', limit: BOUND_MIB }] as const,
      },
      {
        title: `the next client's answer, 1,000 ${what}`,
        unit: 'ms',
        baseline: node.name,
        samples: samples['next client ms'],
        targets: [
          { contender: ours.name, of: 'value', bound: 'at most', limit: NEXT_CLIENT_LIMIT_MS },
        ] as const,
      },
    );
    if (mode === 'upload') {
      comparisons.push({
        title: 'request bytes that the windows let 1,000 stalled uploads send',
        unit: 'MiB',
        baseline: node.name,
        samples: samples['sent MiB'],
      });
    }
  }
  return {
    method:
      `${CONNECTIONS} connections × ${STREAMS} streams of a client that never sends a WINDOW_UPDATE. Readers ask for an endless ` +
      'response; uploads go to a route that reads nothing, and send everything that the windows allow. Sluice is configured with ' +
      `${WINDOW_BYTES / 1024} KiB per exchange each way, so windows × streams is ${WINDOWS_MIB} MiB in either direction; the bound adds ${EXCHANGE_BYTES / 1024} KiB for the objects of each exchange. ${WARM_UP_REQUESTS.toLocaleString('en')} small requests come first and do not count. Growth is the highest RSS ` +
      'until two seconds after the last byte has moved, less the RSS before the first connection. ' +
      '`node:http2` (default windows) is shown for comparison. The next client opens a connection of its own to the same ' +
      'thread and asks for a small response.',
    comparisons,
  };
}

async function measure(context: BenchContext, server: Server, mode: 'read' | 'upload') {
  // Compiled code, and the heaps' room for this many exchanges at once, must not count as growth caused by
  // stalled peers.
  const url = `${server.origin}/hello`;
  await load({ url, connections: CONNECTIONS, streams: STREAMS, requests: WARM_UP_REQUESTS });
  const memory = new MemorySampler(server.program.pid);
  const args = [server.port, CONNECTIONS, STREAMS, mode];
  const { program, report } = await startClient('stalled.ts', args, 'stalled', 30_000);
  try {
    await delay(context.isQuick ? 500 : 2_000);
    const start = performance.now();
    const answer = await request(server.origin, '/hello', 5_000);
    const nextClientMs = performance.now() - start;
    if (answer.body !== HELLO)
      throw new Error(`the next client got ${answer.status} ${JSON.stringify(answer.body)}`);
    program.assertAlive();
    return {
      'RSS growth MiB': memory.stop() / MIB,
      'next client ms': nextClientMs,
      'sent MiB': Number(report) / MIB,
    };
  } finally {
    memory.stop();
    await program.stop();
  }
}
