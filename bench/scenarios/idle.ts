/** Idle connections: what an open connection costs when nothing happens on it. */
import { setTimeout as delay } from 'node:timers/promises';
import { startClient } from '../clients/background.ts';
import {
  type BenchContext,
  type Comparison,
  inRounds,
  type Scenario,
  type ScenarioResult,
} from '../comparison.ts';
import { type Contender, nodeHttp2, nodeHttpBodies, type Server, sluice } from '../contenders.ts';
import { HELLO, IDLE_TIMEOUT_MS } from '../content.ts';
import { load } from '../load.ts';
import { residentBytes } from '../measure.ts';
import { assertAnswer, type Protocol } from '../probe.ts';

export const idle: Scenario = { name: 'idle', title: 'Idle connections', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const connections = connectionsOf(context);
  const ours = sluice({
    name: 'Sluice, 1 thread',
    directory: context.directory,
    // Opening all connections takes longer than the default limit for a connection without a request.
    options: { limits: { headerTimeoutMs: IDLE_TIMEOUT_MS } },
    pools: { hello: { application: 'hello.ts', threads: 1, paths: ['/hello'] } },
  });
  return {
    method: `${connections.toLocaleString('en')} connections that have exchanged preface and SETTINGS and then do nothing: ${HOW_MEASURED}`,
    comparisons: [await compareIdle(context, nodeHttp2(), ours, 'h2', 1)],
  };
}

function connectionsOf({ isQuick }: BenchContext): number {
  return isQuick ? 2_000 : 10_000;
}

/** As many at once as the client opens. */
const WARM_UP_CONNECTIONS = 100;

const HOW_MEASURED =
  "the growth of the server's RSS over all of them, divided by their number. The kernel's socket buffers are not in it.";

/** @param most that a connection of ours may take, in comparison with one of the other's */
async function compareIdle(
  context: BenchContext,
  other: Contender,
  ours: Contender,
  protocol: Protocol,
  most: number,
): Promise<Comparison> {
  const connections = connectionsOf(context);
  const samples = await inRounds(context, [other, ours], ['KiB per connection'], (server, { name }) =>
    measure(context, server, name, protocol, connections),
  );
  return {
    title: `memory per connection, ${connections.toLocaleString('en')} connections`,
    unit: 'KiB',
    baseline: other.name,
    samples: samples['KiB per connection'],
    targets: [{ contender: ours.name, of: 'ratio', bound: 'at most', limit: most }],
  };
}

async function measure(
  context: BenchContext,
  server: Server,
  name: string,
  protocol: Protocol,
  connections: number,
) {
  await assertAnswer(server.origin, '/hello', HELLO, name, protocol);
  if (protocol === 'http/1.1') {
    // These connections have each had a request, whose first thousands make a process grow once.
    const options = { url: `${server.origin}/hello`, connections: WARM_UP_CONNECTIONS, streams: 1 };
    await load({ ...options, isHttp1: true, seconds: context.isQuick ? 1 : 3 });
    await delay(context.isQuick ? 500 : 2_000);
  }
  const before = residentBytes(server.program.pid);
  const { program } = await startClient('idle.ts', [server.port, connections, protocol], 'open', 60_000);
  try {
    await delay(context.isQuick ? 500 : 2_000);
    const growth = residentBytes(server.program.pid) - before;
    program.assertAlive();
    await assertAnswer(server.origin, '/hello', HELLO, name, protocol);
    return { 'KiB per connection': growth / 1024 / connections };
  } finally {
    await program.stop();
  }
}

export const idleHttp1: Scenario = {
  name: 'idle-http1',
  title: 'Idle connections over HTTP/1.1',
  run: async (context) => {
    const ours = sluice({
      name: 'Sluice, 1 thread',
      directory: context.directory,
      options: { http1: { keepAliveTimeoutMs: IDLE_TIMEOUT_MS } },
      pools: { hello: { application: 'hello.ts', threads: 1, paths: ['/hello'] } },
    });
    return {
      method: `${connectionsOf(context).toLocaleString('en')} connections that have each had one request answered, and then do nothing: ${HOW_MEASURED} Requests over ${WARM_UP_CONNECTIONS} connections go before and are dropped.`,
      comparisons: [await compareIdle(context, nodeHttpBodies(), ours, 'http/1.1', 0.6)],
    };
  },
};
