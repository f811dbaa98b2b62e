/** The sampler that doctor runs in each application thread. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { samplesFile, threadsVariable } from '../../runtime/clinic/thread-files.ts';

const sampler = new URL('../../runtime/clinic/thread-sampler.ts', import.meta.url).href;

/** Runs until the sampler has written. The thread may open no more files, as far as it asks for its memory. */
const RUN = `
  const { statSync } = require('node:fs');
  process.memoryUsage = () => { throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' }); };
  const { threadId, workerData } = require('node:worker_threads');
  import(workerData.sampler).then(() => {
    const file = workerData.folder + '/' + workerData.names[threadId];
    const look = setInterval(() => { if (statSync(file).size > 0) clearInterval(look); }, 10);
  });
`;

test('a thread whose memory cannot be read is sampled all the same, and lives', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const names = Array.from({ length: 8 }, (_, id) => samplesFile(id));
  const worker = new Worker(RUN, {
    eval: true,
    env: { ...process.env, [threadsVariable]: folder },
    workerData: { sampler, folder, names },
  });
  const { threadId } = worker;
  const ended = Promise.withResolvers<number>();
  worker.once('error', ended.reject);
  worker.once('exit', ended.resolve);
  t.is(await ended.promise, 0);
  const lines = readFileSync(join(folder, samplesFile(threadId)), 'utf8')
    .trim()
    .split('\n');
  t.true(lines.length > 0);
  t.deepEqual(Object.keys(JSON.parse(lines[0] as string).memory), [
    'rss',
    'heapTotal',
    'heapUsed',
    'external',
    'arrayBuffers',
  ]);
});
