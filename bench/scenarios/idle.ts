/** Idle connections: what an open HTTP/2 connection costs when nothing happens on it. */
import { setTimeout as delay } from 'node:timers/promises';
import { startClient } from '../clients/background.ts';
import { type BenchContext, inRounds, type Scenario, type ScenarioResult } from '../comparison.ts';
import { nodeHttp2, type Server, sluice } from '../contenders.ts';
import { HELLO } from '../content.ts';
import { residentBytes } from '../measure.ts';
import { assertAnswer } from '../probe.ts';

export const idle: Scenario = { name: 'idle', title: 'Idle connections', run };

async function run(context: BenchContext): Promise<ScenarioResult> {
  const connections = context.isQuick ? 2_000 : 10_000;
  const node = nodeHttp2();
  const ours = sluice({
    name: 'Sluice, 1 thread',
    directory: context.directory,
    // Opening all connections takes longer than the default limit for a connection without a request.
    options: { limits: { headerTimeoutMs: 120_000 } },
    pools: { hello: { application: 'hello.ts', threads: 1, paths: ['/hello'] } },
  });
  const samples = await inRounds(context, [node, ours], ['KiB per connection'], (server, { name }) =>
    measure(context, server, name, connections),
  );
  return {
    method:
      `${connections.toLocaleString('en')} connections that have exchanged preface and SETTINGS and then do nothing: the growth of the ` +
      "server's RSS over all of them, divided by their number. The kernel's socket buffers are not included.",
    comparisons: [
      {
        title: `memory per connection, ${connections.toLocaleString('en')} connections`,
        unit: 'KiB',
        baseline: node.name,
        samples: samples['KiB per connection'],
        targets: [{ contender: ours.name, of: 'ratio', bound: 'at most', limit: 1 }],
      },
    ],
  };
}

async function measure(context: BenchContext, server: Server, name: string, connections: number) {
  await assertAnswer(server.origin, '/hello', HELLO, name);
  const before = residentBytes(server.program.pid);
  const { program } = await startClient('idle.ts', [server.port, connections], 'open', 60_000);
  try {
    await delay(context.isQuick ? 500 : 2_000);
    const growth = residentBytes(server.program.pid) - before;
    program.assertAlive();
    await assertAnswer(server.origin, '/hello', HELLO, name);
    return { 'KiB per connection': growth / 1024 / connections };
  } finally {
    await program.stop();
  }
}
