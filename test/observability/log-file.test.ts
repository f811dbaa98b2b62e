/** The log's file: rotated while lines are written, on a full disk, in a folder that is not there. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Worker } from 'node:worker_threads';
import test, { type ExecutionContext } from 'ava';
import { LogFile, LogFileError } from '../../runtime/logging/log-file.ts';
import { freePort } from '../server/free-port.ts';
import { type ServerInput, application as testApplication } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { makePipe } from '../server/pipes.ts';
import { type ServerProcess, startProcess } from '../server/process.ts';

const application = fileURLToPath(new URL('./applications/printing.ts', import.meta.url));

function folder(t: ExecutionContext): string {
  const made = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

interface Started extends ServerProcess {
  readonly origin: string;
}

/** It says on no stream that it listens. */
async function start(
  t: ExecutionContext,
  file: string,
  more: Partial<ServerInput> = {},
  variables: { readonly [name: string]: string } = {},
): Promise<Started> {
  const port = await freePort();
  const input: ServerInput = {
    pools: { printing: { application, threads: { min: 1, max: 1 } } },
    listeners: [{ address: `127.0.0.1:${port}` }],
    requestId: {},
    ...more,
    log: { format: 'json', file, access: { write: 'always', fields: ['path'] } },
  };
  const started = startProcess(t, input, [], variables);
  const origin = `http://127.0.0.1:${port}`;
  const dead = started.ended.then(() => Promise.reject(new Error(`it has ended: ${started.errors()}`)));
  dead.catch(() => undefined);
  for (;;) {
    const answer = requestHttp1(`${origin}/print/up`).then(
      () => true,
      () => false,
    );
    if (await Promise.race([answer, dead])) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { ...started, origin };
}

function linesOf(file: string): Record<string, unknown>[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text
    .split('\n')
    .slice(0, -1)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

async function until(
  file: string,
  wanted: (line: Record<string, unknown>) => boolean,
): Promise<Record<string, unknown>> {
  for (;;) {
    const found = linesOf(file).find(wanted);
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test.serial('a file that is rotated under load loses no line, and no line is in two pieces', async (t) => {
  const file = join(folder(t), 'sluice.log');
  const { child, origin, log, errors, ended } = await start(t, file);
  let sent = 0;
  let isOver = false;
  const load = async () => {
    while (!isOver) await requestHttp1(`${origin}/print/line-${sent++}`);
  };
  const loads = [load(), load(), load()];
  const rotated: string[] = [];
  for (let turn = 1; turn <= 5; turn++) {
    const old = `${file}.${turn}`;
    renameSync(file, old);
    rotated.push(old);
    child.kill('SIGUSR1');
    await until(file, ({ msg }) => msg === 'log file reopened');
    await until(file, ({ msg }) => msg === 'exchange');
  }
  isOver = true;
  await Promise.all(loads);
  child.kill('SIGTERM');
  t.deepEqual(await ended, { code: 0, signal: null });
  const lines = [...rotated, file].flatMap(linesOf);
  for (let line = 0; line < sent; line++) {
    t.is(lines.filter(({ msg }) => msg === `line-${line}`).length, 1);
    t.is(lines.filter(({ path }) => path === `/print/line-${line}`).length, 1);
  }
  t.is(linesOf(file).at(-1)?.msg, 'stopped');
  t.notRegex(errors(), /Debugger listening|Warning: File descriptor/);
  t.deepEqual(log.lines, []);
});

test.serial(
  'a full disk costs lines and nothing else; emptied, it has the next ones and the count',
  async (t) => {
    const directory = folder(t);
    const file = join(directory, 'sluice.log');
    symlinkSync('/dev/full', file);
    const { child, origin } = await start(t, file);
    for (let each = 0; each < 20; each++)
      t.is((await requestHttp1(`${origin}/print/lost-${each}`)).status, 200);
    unlinkSync(file);
    child.kill('SIGUSR1');
    let isThere = false;
    const dropped = until(
      file,
      ({ msg }) => msg === 'log lines were dropped: the log file did not accept them',
    ).finally(() => {
      isThere = true;
    });
    // A stream that has failed is tried again about once a second, with what is written then.
    while (!isThere) await requestHttp1(`${origin}/print/more`);
    t.true(Number((await dropped).lines) >= 20);
    t.false(linesOf(file).some(({ path }) => path === '/print/lost-0'));
  },
);

test.serial('a file that cannot be opened anew is none: the old one goes on, and says so', async (t) => {
  const directory = folder(t);
  const file = join(directory, 'sluice.log');
  const { child, origin } = await start(t, file);
  const old = join(directory, 'old.log');
  renameSync(file, old);
  symlinkSync(join(directory, 'no-such-folder', 'x'), file);
  child.kill('SIGUSR1');
  const line = await until(old, ({ msg }) => String(msg).startsWith('log file not reopened'));
  t.is((line.err as { code: string }).code, 'SLUICE_LOG_FILE');
  await requestHttp1(`${origin}/print/after`);
  await until(old, ({ msg }) => msg === 'after');
});

test.serial(
  "the log goes on, and is rotated, while applications have taken all of libuv's threads",
  async (t) => {
    const file = join(folder(t), 'sluice.log');
    const { child, origin, ended } = await start(
      t,
      file,
      {
        pools: {
          blocking: { application: testApplication('faults', 'blocking'), threads: { min: 1, max: 1 } },
          printing: { application, threads: { min: 1, max: 1 } },
        },
        routes: [
          { path: '/blocking/*', pool: 'blocking' },
          { path: '/*', pool: 'printing' },
        ],
        drainTimeoutMs: 100,
      },
      { UV_THREADPOOL_SIZE: '4' },
    );
    await requestHttp1(`${origin}/blocking/read?times=8&pipe=${makePipe(t).path}`);
    await requestHttp1(`${origin}/print/beside`);
    await until(file, ({ msg }) => msg === 'beside');
    const old = `${file}.1`;
    renameSync(file, old);
    child.kill('SIGUSR1');
    await until(file, ({ msg }) => msg === 'log file reopened');
    child.kill('SIGTERM');
    t.deepEqual(await ended, { code: 0, signal: null });
    t.truthy(linesOf(file).find(({ msg }) => msg === 'stopped'));
  },
);

test.serial('a disk that takes nothing keeps neither requests nor the end of the process', async (t) => {
  const file = join(folder(t), 'pipe');
  execFileSync('mkfifo', [file]);
  const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  t.teardown(() => closeSync(reader));
  const { child, origin, ended } = await start(t, file);
  // Twice, more than a pipe holds.
  for (let each = 0; each < 10; each++)
    t.is((await requestHttp1(`${origin}/print/${'x'.repeat(8_000)}`)).status, 200);
  child.kill('SIGTERM');
  t.deepEqual(await ended, { code: 0, signal: null });
});

test.serial('a folder that is not there is said before anything starts', async (t) => {
  const file = join(folder(t), 'no-such-folder', 'sluice.log');
  const { ended, errors } = startProcess(t, {
    pools: { printing: { application } },
    log: { file },
  });
  t.deepEqual(await ended, { code: 1, signal: null });
  t.regex(errors(), /log\.file: expected a file that can be written to at .*ENOENT.*SLUICE_LOG_FILE/);
});

test.serial('without a file the signal does nothing but say so, and opens no inspector', async (t) => {
  const { child, log, errors, listening, ended } = startProcess(t, {
    pools: { printing: { application, threads: { min: 1, max: 1 } } },
  });
  const origin = await listening();
  child.kill('SIGUSR1');
  await log.until('nothing to reopen');
  t.is((await requestHttp1(`${origin}/print/x`)).status, 200);
  child.kill('SIGTERM');
  await ended;
  t.notRegex(errors(), /Debugger listening/);
});

test.serial('what waits is written in order, however much it is, and each hears of its own', async (t) => {
  const path = join(folder(t), 'a.log');
  const file = new LogFile(path);
  const pieces = Array.from({ length: 300 }, (_, index) => `${index}:${'x'.repeat((index * 997) % 9_000)}\n`);
  const written = pieces.map(
    (piece, index) =>
      new Promise<void>((resolve, reject) => {
        const chunk = index % 2 === 0 ? piece : Buffer.from(piece);
        file.write(chunk, (error) => (error ? reject(error) : resolve()));
      }),
  );
  t.is(file.writableLength, pieces.join('').length);
  await Promise.all(written);
  t.is(file.writableLength, 0);
  t.is(readFileSync(path, 'utf8'), pieces.join(''));
  t.throws(() => new LogFile(join(path, 'below-a-file')), {
    instanceOf: LogFileError,
    code: 'SLUICE_LOG_FILE',
  });
});

test.serial('a file that was reopened goes on when the thread that writes it has ended', async (t) => {
  const path = join(folder(t), 'a.log');
  const threads: Worker[] = [];
  const note = (thread: Worker): void => void threads.push(thread);
  process.on('worker', note);
  t.teardown(() => process.off('worker', note));
  const file = new LogFile(path);
  const write = (text: string) => new Promise((resolve) => file.write(text, resolve));
  await write('one\n');
  t.falsy(await new Promise((resolve) => file.reopen(resolve)));
  const [thread] = threads.filter((each) => file.isOwn(each));
  await thread?.terminate();
  t.falsy(await write('two\n'));
  t.is(readFileSync(path, 'utf8'), 'one\ntwo\n');
});
