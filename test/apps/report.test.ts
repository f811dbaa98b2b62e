/** The sample report: parts on several threads, results as they arrive, and an end when the reader leaves. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { PartEnded, Progress } from '../../apps/report/analysis.ts';
import { type Scope, startServer, type TestServer } from '../server/harness.ts';

const of = (name: string) => fileURLToPath(new URL(`../../apps/report/${name}.ts`, import.meta.url));

async function start(scope: Scope): Promise<TestServer> {
  return await startServer(scope, {
    pools: {
      report: { application: of('app'), threads: { min: 1, max: 1 } },
      analysis: { module: of('analysis'), threads: { min: 2, max: 2 } },
    },
    routes: [{ path: '/*', pool: 'report' }],
    actors: {
      analysis: { pool: 'analysis', export: 'Analysis', kind: 'pool', concurrency: 1, streamItems: 4 },
    },
  });
}

interface Line extends Partial<Progress> {
  readonly job?: string;
  readonly part?: number;
  readonly of?: number;
}

async function* linesOf<T>(response: Response): AsyncGenerator<T> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const bytes of response.body as ReadableStream<Uint8Array>) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) yield JSON.parse(line) as T;
  }
}

/** Computed with a sieve, whereas the application divides. */
function primesBetween(from: number, to: number): number {
  const isComposite = new Uint8Array(to);
  let count = 0;
  for (let n = 2; n < to; n++) {
    if (isComposite[n] === 1) continue;
    if (n >= from) count++;
    for (let multiple = n * n; multiple < to; multiple += n) isComposite[multiple] = 1;
  }
  return count;
}

test('several threads search the parts, which are reported as they arrive and then combined', async (t) => {
  const { origin } = await start(t);
  const lines: Line[] = [];
  for await (const line of linesOf<Line>(await fetch(`${origin}/report/run?numbers=320000`)))
    lines.push(line);
  t.like(lines[0], { parts: 8 });
  t.is(lines.at(-1)?.primes, primesBetween(10_000_000, 10_320_000));
  const progress = lines.slice(1, -1);
  for (let part = 0; part < 8; part++) {
    const own = progress.filter((line) => line.part === part);
    t.deepEqual(
      own.map(({ done }) => done),
      [20_000, 40_000],
      'no step is lost or out of order',
    );
    t.is(own.at(-1)?.of, 40_000);
  }
  t.is(new Set(progress.map(({ thread }) => thread)).size, 2);
});

test('when the reader leaves, running work ends and no further work begins for it', async (t) => {
  const { origin, server } = await start(t);
  const watching = linesOf<PartEnded>(await fetch(`${origin}/report/ended`));
  await watching.next();
  const controller = new AbortController();
  const running = await fetch(`${origin}/report/run?numbers=50000000`, { signal: controller.signal });
  let job: string | undefined;
  const threads = new Set<number>();
  try {
    for await (const line of linesOf<Line>(running)) {
      job ??= line.job;
      if (line.thread !== undefined) threads.add(line.thread);
      if (threads.size === 2) controller.abort();
    }
  } catch (error) {
    t.is((error as Error).name, 'AbortError');
  }
  for (let ended = 0; ended < 2; ended++) {
    const { value } = await watching.next();
    t.like(value, { job, how: 'cancelled' });
  }
  // The threads are free for the next report.
  const lines: Line[] = [];
  for await (const line of linesOf<Line>(await fetch(`${origin}/report/run?numbers=80000`))) lines.push(line);
  t.is(lines.at(-1)?.primes, primesBetween(10_000_000, 10_080_000));
  t.is(server.parts.actors?.openMessages, 0);
  for (let ended = 0; ended < 8; ended++) {
    const { value } = await watching.next();
    t.is((value as PartEnded).how, 'done', 'of the report that was given up only what had begun has ended');
  }
  await watching.return(undefined);
});

test('an invalid count of numbers is refused', async (t) => {
  const { origin } = await start(t);
  for (const numbers of ['0', '7', '50000001', 'many']) {
    t.is((await fetch(`${origin}/report/run?numbers=${numbers}`)).status, 400);
  }
  t.regex(await (await fetch(`${origin}/report`)).text(), /<title>Report/);
});
