/** SIGHUP and SIGUSR2 on servers that start, serve and drain: none of them ends by it, nor does an exchange. */
import { once } from 'node:events';
import test from 'ava';
import { application } from './harness.ts';
import { answer, connectHttp2, request } from './http2-client.ts';
import { startProcess } from './process.ts';

const pools = { messages: { application: application('server', 'messages'), threads: { max: 1 } } };

test.serial('SIGHUP reloads a server and leaves its exchanges alone, also while it drains', async (t) => {
  const { child, listening, log, ended } = startProcess(t, { pools });
  const session = await connectHttp2(t, await listening());
  const stream = session.request({ ':method': 'POST', ':path': '/echo' });
  const answered = answer(stream);
  stream.write('before ');
  await once(stream, 'data');
  child.kill('SIGHUP');
  t.is((await log.until('reloaded: pool messages: 1 thread replaced')).level, 'info');
  t.is((await request(session, { ':path': '/hello' })).status, 200);
  child.kill('SIGTERM');
  await log.until('draining');
  child.kill('SIGHUP');
  await log.until('not reloaded: the server stops');
  stream.end('after');
  t.is((await answered).body.toString(), 'before after');
  t.deepEqual(await ended, { code: 0, signal: null });
});

test.serial('SIGHUP does not end a server that starts, which reloads when it has', async (t) => {
  const { child, listening, log, ended } = startProcess(t, { pools }, ['--dev-tls']);
  await log.until('development certificate');
  child.kill('SIGHUP');
  await log.until('reload requested');
  const origin = (await listening()).replace('http:', 'https:');
  const session = await connectHttp2(t, origin, { rejectUnauthorized: false });
  await log.until('reloaded: ');
  t.is((await request(session, { ':path': '/hello' })).status, 200);
  child.kill('SIGTERM');
  t.deepEqual(await ended, { code: 0, signal: null });
});

test.serial(
  'SIGUSR2, by which other servers restart, ends nothing, and the log says what to send instead',
  async (t) => {
    const { child, listening, log, ended } = startProcess(t, { pools }, ['--dev-tls']);
    const said =
      'SIGUSR2 has no effect: SIGHUP reloads, SIGUSR1 reopens log.file, and SIGTERM drains and ends';
    await log.until('development certificate');
    child.kill('SIGUSR2');
    const first = await log.until(said);
    t.is(first.level, 'warn');
    const origin = (await listening()).replace('http:', 'https:');
    const session = await connectHttp2(t, origin, { rejectUnauthorized: false });
    const stream = session.request({ ':method': 'POST', ':path': '/echo' });
    const answered = answer(stream);
    stream.write('before ');
    await once(stream, 'data');
    child.kill('SIGUSR2');
    const second = await log.until(said, (line) => line !== first);
    child.kill('SIGTERM');
    await log.until('draining');
    child.kill('SIGUSR2');
    await log.until(said, (line) => line !== first && line !== second);
    stream.end('after');
    t.is((await answered).body.toString(), 'before after');
    t.deepEqual(await ended, { code: 0, signal: null });
  },
);
