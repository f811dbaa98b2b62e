/** What the server does in a process started by clinic, with the flags of each tool. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { RecordedEvent } from './recorded.ts';

const execute = promisify(execFile);
const modules = new URL('../../runtime/clinic/', import.meta.url);

/** A program with a thread that computes a little and ends. */
function withThread(first: string): string {
  return `
import { Worker } from 'node:worker_threads';
import { writeFileSync } from 'node:fs';
const { beginUnderClinic } = await import('${new URL('main-thread.ts', modules)}');
const { keepMainThreadsEvents } = await import('${new URL('trace-log.ts', modules)}');
${first}
const thread = new Worker('setImmediate(() => Promise.resolve().then(() => {}))', { eval: true });
await new Promise((resolve) => thread.once('exit', resolve));
`;
}

function folder(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-clinic-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

test("0x takes the log that is first by name: the main thread's, wherever its heap is", async (t) => {
  const directory = folder(t);
  const flags = ['--prof', `--logfile=${directory}/%p-v8.log`];
  await execute(process.execPath, [
    ...[...flags, '--input-type=module', '--eval', withThread(`beginUnderClinic('flame');`)],
  ]);
  const logs = readdirSync(directory).sort();
  t.is(logs.length, 2);
  t.regex(logs[0] ?? '', /^isolate-0x00-(\d+)-\1-v8\.log$/);
  // The expression that 0x uses.
  t.regex(logs[0] ?? '', /isolate-(0x)?([0-9A-Fa-f]{2,16})(-\d+)?-\d+-v8.log/);
  t.true(readFileSync(join(directory, logs[0] as string), 'utf8').includes('main-thread.ts'));
});

test('the trace event log keeps those of the main thread, and each thread has its own', async (t) => {
  const directory = folder(t);
  const pattern = `${directory}/a b.$\{rotation}.log`;
  const options = `--trace-event-file-pattern="${pattern}"`;
  const program = withThread(`process.once('exit', () => keepMainThreadsEvents(process.env.NODE_OPTIONS, '/',
  (threadId, log) => writeFileSync('${directory}/thread-' + threadId, log)));`);
  await execute(
    process.execPath,
    [
      ...['--trace-events-enabled', '--trace-event-categories', 'v8,node.async_hooks'],
      ...['--input-type=module', '--eval', program],
    ],
    { env: { ...process.env, NODE_OPTIONS: options } },
  );
  t.deepEqual(readdirSync(directory).sort(), ['a b.1.log', 'thread-1']);
  const read = (name: string): RecordedEvent[] =>
    JSON.parse(readFileSync(join(directory, name), 'utf8')).traceEvents;
  const [main, worker] = [read('a b.1.log'), read('thread-1')];
  const hooked = (events: readonly RecordedEvent[]) =>
    new Set(events.filter(({ cat }) => cat.includes('async_hooks')).map(({ tid }) => tid));
  t.is(hooked(main).size, 1);
  t.is(hooked(worker).size, 1);
  t.notDeepEqual(hooked(main), hooked(worker));
  const names = (events: readonly RecordedEvent[]) =>
    events.filter(({ name }) => name === 'thread_name').map(({ args }) => args.name ?? '');
  t.true(names(main).includes('JavaScriptMainThread'));
  t.false(names(main).some((name) => name.startsWith('[worker')));
  t.true(names(worker).every((name) => name.startsWith('[worker 1]')));
});
