/** An error on the main thread that nobody catches: the process ends, whatever its threads wait for, and the log says why. */
import test from 'ava';
import { application } from './harness.ts';
import { makePipe } from './pipes.ts';
import { startProcess } from './process.ts';

const pools = { messages: { application: application('server', 'messages'), threads: { max: 1 } } };

/** Code that runs in the server's process: on SIGUSR2 this happens. */
function onSignal(what: string): { readonly NODE_OPTIONS: string } {
  const code = `
    import { open } from 'node:fs';
    import { isMainThread } from 'node:worker_threads';
    if (isMainThread) process.on('SIGUSR2', () => { ${what} });`;
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}` };
}

for (const [how, what] of [
  ['is thrown', "throw new Error('of the main thread')"],
  ['is rejected with', "Promise.reject(new Error('of the main thread'))"],
] as const) {
  test(`an error that ${how} and nobody catches ends the process with 1, and a line in the log`, async (t) => {
    const { child, listening, ended, log } = startProcess(t, { pools }, [], onSignal(what));
    await listening();
    child.kill('SIGUSR2');
    t.deepEqual(await ended, { code: 1, signal: null });
    const line = log.find('uncaught internal error');
    t.like(line, { level: 'fatal', err: { message: 'of the main thread' } });
  });
}

const onPosix = process.platform === 'win32' ? test.skip : test;
onPosix('so does one while all threads of libuv wait for a named pipe', async (t) => {
  const pipe = makePipe(t);
  const opens = `for (let n = 0; n < 64; n++) open('${pipe.path}', () => undefined);`;
  const { child, listening, ended, log } = startProcess(
    t,
    { pools },
    [],
    onSignal(`${opens} throw new Error('of the main thread')`),
  );
  await listening();
  child.kill('SIGUSR2');
  t.deepEqual(await ended, { code: 1, signal: null });
  t.truthy(log.find('uncaught internal error'));
});
