/**
 * What `resourceLimits` do about each way to use too much memory: end the thread, end the process, or nothing. Every run has a
 * process of its own. Prints the table of docs/operations.md.
 *
 *   npx node bench/heap-limits/run.ts [--runs 5] [--heaps 64,256] [--only TEXT]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { patterns } from './patterns.ts';

/** A run that swaps or collects garbage without end shows nothing more after this. */
const PATIENCE_MS = 60_000;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    heaps: { type: 'string', default: '64,256' },
    only: { type: 'string', default: '' },
    pattern: { type: 'string' },
    heap: { type: 'string' },
  },
});

if (values.pattern === undefined) await table();
else await one(values.pattern, Number(values.heap));

async function table(): Promise<void> {
  const heaps = values.heaps.split(',');
  console.log(`| what a thread does (Node ${process.versions.node}) | ${heaps.join(' MB | ')} MB |`);
  console.log(`| --- | ${heaps.map(() => '---').join(' | ')} |`);
  for (const name of Object.keys(patterns).filter((name) => name.includes(values.only))) {
    const cells: string[] = [];
    for (const heap of heaps) cells.push(await measure(name, heap));
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}

/** How often each outcome occurred. */
async function measure(name: string, heap: string): Promise<string> {
  const outcomes = new Map<string, number>();
  const runs = Number(values.runs);
  for (let run = 0; run < runs; run++) {
    const outcome = await runApart(name, heap);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  return [...outcomes]
    .map(([outcome, count]) => (count === runs ? outcome : `${outcome} (${count} of ${runs})`))
    .join(', ');
}

async function runApart(name: string, heap: string): Promise<string> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--pattern', name, '--heap', heap], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let told = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const [, signal] = await once(child, 'close');
  clearTimeout(timer);
  if (told !== '') return told.trim();
  return signal === 'SIGKILL' ? 'no end within a minute' : '**the process ends**';
}

/** A message that takes about four times the heap when it is received. */
function objectsOf(heapMb: number): object[] {
  return Array.from({ length: heapMb * 40_000 }, (_, i) => ({ i, text: `number ${i}` }));
}

/** Runs in a process of its own: one thread, and its outcome. */
async function one(pattern: string, heap: number): Promise<void> {
  const worker = new Worker(new URL('./patterns.ts', import.meta.url), {
    workerData: pattern,
    resourceLimits: { maxOldGenerationSizeMb: heap },
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  worker.on('message', (word) => {
    if (word === 'send') worker.postMessage(objectsOf(heap));
    else resolve('not limited');
  });
  worker.on('error', (error: Error & { code?: string }) => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') resolve('the thread ends');
    else resolve(`${error.name} in the thread`);
  });
  worker.on('exit', (code) => resolve(`exit ${code}`));
  process.stdout.write(await promise, () => process.exit(0));
}
