/** SIGHUP on servers that have nothing to reload, or are not ready to: they say so and go on. */
import { once } from 'node:events';
import test from 'ava';
import { application } from './harness.ts';
import { answer, connectHttp2, request } from './http2-client.ts';
import { startProcess } from './process.ts';

const pools = { messages: { application: application('server', 'messages'), threads: { max: 1 } } };
const NOTHING = 'nothing is reloaded: no listener has certificate files';

test.serial(
  'SIGHUP leaves a server in cleartext and its exchanges alone, also while it drains',
  async (t) => {
    const { child, listening, log, ended } = startProcess(t, { pools });
    const session = await connectHttp2(t, await listening());
    const stream = session.request({ ':method': 'POST', ':path': '/echo' });
    const answered = answer(stream);
    stream.write('before ');
    await once(stream, 'data');
    child.kill('SIGHUP');
    t.is((await log.until(NOTHING)).level, 'info');
    t.is((await request(session, { ':path': '/hello' })).status, 200);
    child.kill('SIGTERM');
    await log.until('draining');
    child.kill('SIGHUP');
    await log.until(NOTHING, () => log.count(NOTHING) === 2);
    stream.end('after');
    t.is((await answered).body.toString(), 'before after');
    t.deepEqual(await ended, { code: 0, signal: null });
  },
);

test.serial('SIGHUP does not end a server that starts', async (t) => {
  const { child, listening, log, ended } = startProcess(t, { pools }, ['--dev-tls']);
  await log.until('development certificate');
  child.kill('SIGHUP');
  await log.until(NOTHING);
  const origin = (await listening()).replace('http:', 'https:');
  const session = await connectHttp2(t, origin, { rejectUnauthorized: false });
  t.is((await request(session, { ':path': '/hello' })).status, 200);
  child.kill('SIGTERM');
  t.deepEqual(await ended, { code: 0, signal: null });
});
