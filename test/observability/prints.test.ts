/** What applications print: lines of the log that say who printed it, or untouched. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ServerInput } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { startProcess } from '../server/process.ts';

const application = fileURLToPath(new URL('./applications/printing.ts', import.meta.url));
const input: ServerInput = {
  pools: { printing: { application, threads: { min: 1, max: 1 } } },
  listeners: [{ address: '127.0.0.1:0', trustedProxies: ['127.0.0.1'] }],
  requestId: {},
};

const ask = (origin: string, path: string, id: string) =>
  requestHttp1(`${origin}${path}`, { headers: { 'x-request-id': id } });

test.serial(
  'a line says pool, thread, stream and request, wherever the code of the request runs',
  async (t) => {
    const { log, listening } = startProcess(t, input);
    const origin = await listening();
    const ids = ['a', 'b', 'c', 'd'];
    await Promise.all(ids.map((id) => ask(origin, `/everywhere/${id}`, id)));
    for (const id of ids) {
      for (const [where, stream, level] of [
        ['at once', 'stdout', 'info'],
        ['behind an await', 'stdout', 'info'],
        ['in a timer', 'stderr', 'warn'],
      ]) {
        const { time, pid, ...line } = await log.until(`${id} ${where}`);
        t.deepEqual(line, {
          level,
          pool: 'printing',
          thread: 'printing-1',
          requestId: id,
          stream,
          msg: `${id} ${where}`,
        });
        t.truthy(time && pid);
      }
    }
    await ask(origin, '/later/e', 'e');
    t.is((await log.until('e later')).requestId, 'e');
    const loading = await log.until('while it loads');
    t.like(loading, { pool: 'printing', thread: 'printing-1' });
    t.false('requestId' in loading);
  },
);

test.serial(
  'one write is one line, an object stays the one that it is, and no secret of it is shown',
  async (t) => {
    const { log, listening } = startProcess(t, input);
    const origin = await listening();
    const print = async (text: string) => ask(origin, `/print/${encodeURIComponent(text)}`, 'x');
    await print('first\n  second');
    t.is((await log.until('first')).msg, 'first\n  second');
    await print(
      '{"msg":"of a logger","level":30,"pool":"its own","deep":{"Password":"hunter2","list":[{"token":1}]}}',
    );
    t.deepEqual(await log.until('of a logger'), {
      msg: 'of a logger',
      level: 30,
      pool: 'its own',
      deep: { Password: '[redacted]', list: [{ token: '[redacted]' }] },
      thread: 'printing-1',
      requestId: 'x',
    } as never);
    await print('{"msg":"without","n":12345678901234567890}');
    t.like(await log.until('without'), { pool: 'printing', requestId: 'x' });
    for (const text of ['{', '{}', '{"msg":', '{not json}', '', '{"msg":"}'])
      t.is((await print(text)).status, 200, text);
    await ask(origin, '/bytes/caf%C3%A9', 'y');
    t.like(await log.until('café', ({ msg }) => msg === 'café'), { stream: 'stdout', requestId: 'y' });
    t.like(await log.until('café in latin1'), { stream: 'stdout', requestId: 'y' });
  },
);

test.serial('untouched it crosses as it is, and each stream stays what it is', async (t) => {
  const { child, errors, listening, ended } = startProcess(t, {
    ...input,
    log: { level: 'info', format: 'json', prints: 'untouched' },
  });
  let output = '';
  child.stdout?.on('data', (text) => {
    output += text;
  });
  const origin = await listening();
  await ask(origin, '/everywhere/a', 'a');
  child.kill('SIGTERM');
  await ended;
  t.regex(output, /^while it loads$/m);
  t.regex(output, /^a at once\na behind an await$/m);
  t.regex(errors(), /^a in a timer$/m);
});

test.serial('lines for people say it behind the text', async (t) => {
  const { child, listening, ended, log } = startProcess(t, {
    ...input,
    log: { level: 'info', format: 'text', file: undefined },
  });
  let output = '';
  const printed = new Promise<void>((resolve) => {
    child.stdout?.on('data', (text) => {
      output += text;
      if (output.includes('in a timer')) resolve();
    });
  });
  void log;
  void listening;
  while (!output.includes('listening on')) await new Promise((resolve) => setImmediate(resolve));
  const port = /listening on.*?:(\d+)/.exec(output)?.[1];
  await ask(`http://127.0.0.1:${port}`, '/everywhere/a', 'a');
  await printed;
  t.regex(
    output,
    /^[\d:.]{12} info {2}a at once pool=printing thread=printing-1 requestId=a stream=stdout$/m,
  );
  t.regex(output, /^[\d:.]{12} warn {2}a in a timer .*stream=stderr$/m);
  child.kill('SIGTERM');
  await ended;
});

test.serial('what a failed request asked for is logged without what its query hides', async (t) => {
  const { log, listening } = startProcess(t, input);
  const origin = await listening();
  await ask(origin, '/fail?token=abc&a=1', 'f');
  t.like(await log.until('application failed'), { path: '/fail?token=[redacted]&a=1', requestId: 'f' });
});
