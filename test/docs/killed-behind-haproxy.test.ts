/** What a client behind HAProxy is told when the server that ran its request is gone: docs/deployment.md says what is safe. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import anyTest, { type ExecutionContext } from 'ava';
import { freePort } from '../server/free-port.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { type ServerProcess, startProcess } from '../server/process.ts';
import { blocksOf, read } from './markdown.ts';

const haproxy = process.env.SLUICE_HAPROXY ?? '/usr/sbin/haproxy';
const test = existsSync(haproxy) ? anyTest.serial : anyTest.serial.skip;
const application = fileURLToPath(new URL('./applications/counted.ts', import.meta.url));
const REFUSED_STREAM = 7;

/** The page's own HAProxy, in front of a server that can be killed and started again on the same ports. */
async function behindHaproxy(t: ExecutionContext) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-killed-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [http, monitoring, first, second] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const start = async (): Promise<ServerProcess> => {
    const started = startProcess(t, {
      pools: { app: { application, threads: { min: 1, max: 1 }, env: { TEST_FOLDER: folder } } },
      listeners: [{ address: `127.0.0.1:${http}`, trustedProxies: ['127.0.0.1'] }],
      monitoring: { address: `127.0.0.1:${monitoring}` },
    });
    await started.listening();
    return started;
  };
  const ports: Readonly<Record<string, number>> = { 8080: http, 9464: monitoring, 8000: first, 8001: second };
  const [, section = ''] = read('docs/deployment.md').split('\n## HAProxy\n');
  const block = blocksOf(section).find(({ language }) => language === 'haproxy')?.text ?? '';
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    block.replace(/\b(8080|9464|8000|8001)\b/g, (port) => String(ports[port])),
  );
  const server = await start();
  const proxy: ChildProcess = spawn(haproxy, ['-db', '-f', file], { stdio: 'ignore' });
  const ended = once(proxy, 'exit');
  t.teardown(async () => {
    proxy.kill('SIGKILL');
    await ended;
  });
  /** Until HAProxy believes in the server. */
  const served = async (): Promise<void> => {
    for (;;) {
      const answer = await requestHttp1(`http://127.0.0.1:${first}/`).catch(() => null);
      if (answer?.status === 200) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await served();
  const begun = (): string[] => {
    const record = join(folder, 'begun');
    // It exists a moment before there is a line in it.
    const text = existsSync(record) ? readFileSync(record, 'utf8').trim() : '';
    return text === '' ? [] : text.split('\n');
  };
  const untilBegun = async (): Promise<void> => {
    while (begun().length === 0) await new Promise((resolve) => setImmediate(resolve));
  };
  const letAnswer = () => writeFileSync(join(folder, 'go'), '');
  const session = await connectHttp2(t, `http://127.0.0.1:${second}`);
  return { server, start, served, begun, untilBegun, letAnswer, session };
}

test('a killed server: the client is told REFUSED_STREAM of what had begun, and HAProxy does not repeat it', async (t) => {
  const { server, start, served, begun, untilBegun, session } = await behindHaproxy(t);
  const answer = request(session, { ':path': '/waits', ':method': 'POST' }, 'an order');
  await untilBegun();
  server.child.kill('SIGKILL');
  const { status, resetCode } = await answer;
  // The one says that nothing was done, the other nothing: neither may be believed of what must not run twice.
  t.true(resetCode === REFUSED_STREAM || status >= 502, `${status} ${resetCode}`);
  await start();
  await served();
  t.deepEqual(begun(), ['/waits'], 'it ran once');
});

test('a thread that dies is told as what it is, and nothing repeats it', async (t) => {
  const { begun, session, served } = await behindHaproxy(t);
  const { status, resetCode } = await request(session, { ':path': '/dies', ':method': 'POST' }, 'an order');
  t.is(status, 502);
  t.not(resetCode, REFUSED_STREAM);
  await served();
  t.deepEqual(begun(), ['/dies']);
});

test('a drain answers what had begun', async (t) => {
  const { server, begun, untilBegun, letAnswer, session } = await behindHaproxy(t);
  const answer = request(session, { ':path': '/answered', ':method': 'POST' }, 'an order');
  await untilBegun();
  server.child.kill('SIGTERM');
  await server.log.until('draining');
  letAnswer();
  const { status, body } = await answer;
  t.deepEqual([status, String(body)], [200, 'answered']);
  t.deepEqual(await server.ended, { code: 0, signal: null });
  t.deepEqual(begun(), ['/answered']);
});
