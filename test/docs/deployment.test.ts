/** The recipes of docs/deployment.md that can be run: HAProxy and nginx in front, as they stand there but for the ports. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import anyTest, { type ExecutionContext } from 'ava';
import WebSocket from 'ws';
import { parseConfig } from '../../runtime/config/load.ts';
import { type Configuration, createServer, type SluiceServer } from '../../runtime/embedding/sluice.ts';
import { freePort } from '../server/free-port.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { blocksOf, read } from './markdown.ts';

const page = read('docs/deployment.md');
const here = fileURLToPath(new URL('./applications/', import.meta.url));

/** The blocks of one language below a heading. */
function blocksBelow(heading: string, language: string): string[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  return blocksOf(section.split('\n## ')[0] as string)
    .filter((block) => block.language === language)
    .map(({ text }) => text);
}

/** Runs the server of the page's own configuration. @returns texts of the page with the ports in the place of the page's */
async function start(t: ExecutionContext, heading: string): Promise<(text: string) => string> {
  const application = await freePort();
  const monitoring = await freePort();
  const first = await freePort();
  const second = await freePort();
  const ports: Readonly<Record<string, number>> = {
    8080: application,
    9464: monitoring,
    8000: first,
    8001: second,
  };
  const replaced = (text: string) =>
    text.replace(/\b(8080|9464|8000|8001)\b/g, (port) => String(ports[port]));
  const own = JSON.parse(replaced(blocksBelow(heading, 'json')[0] as string)) as Partial<Configuration>;
  const server: SluiceServer = createServer(
    {
      ...own,
      ...(own.monitoring && { monitoring: { address: `127.0.0.1:${monitoring}` } }),
      pools: { app: { application: './deployed.ts', threads: { min: 1, max: 1 }, startTimeoutMs: 60_000 } },
      routes: [{ path: '/*', pool: 'app', websocket: true }],
      control: { enabled: false },
    },
    { directory: here },
  );
  t.teardown(() => server.close());
  await server.start();
  return replaced;
}

/** Runs a proxy until the test is over. Resolves when the port takes connections. */
async function run(
  t: ExecutionContext,
  command: string,
  words: readonly string[],
  port: number,
): Promise<void> {
  const child = spawn(command, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(child, 'close');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const dead = ended.then(() => Promise.reject(new Error(`${command} ended before it listened: ${errors}`)));
  dead.catch(() => undefined);
  await Promise.race([accepts(port), dead]);
}

async function accepts(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      // Refused: it does not listen yet. Each try lets the loop come round.
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      socket.destroy();
    }
  }
}

function folder(t: ExecutionContext): string {
  const made = mkdtempSync(join(tmpdir(), 'sluice-deployment-'));
  t.teardown(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function echoed(url: string): Promise<string> {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  socket.send('hello');
  const [message] = await once(socket, 'message');
  socket.close();
  return String(message);
}

/** The first answer that is not the proxy's own: it takes a while until it believes in the server. */
async function untilServed(url: string) {
  for (;;) {
    const answer = await requestHttp1(url);
    if (answer.status !== 503) return answer;
  }
}

const haproxy = process.env.SLUICE_HAPROXY ?? '/usr/sbin/haproxy';
const nginx = '/usr/sbin/nginx';
const withHaproxy = existsSync(haproxy) ? anyTest.serial : anyTest.serial.skip;
const withNginx = existsSync(nginx) ? anyTest.serial : anyTest.serial.skip;

withHaproxy('HAProxy serves from it, over both of its front ends, and Sluice knows the client', async (t) => {
  const replaced = await start(t, 'HAProxy');
  const file = join(folder(t), 'haproxy.cfg');
  writeFileSync(file, replaced(blocksBelow('HAProxy', 'haproxy')[0] as string));
  const [first, second] = [Number(replaced('8000')), Number(replaced('8001'))];
  await run(t, haproxy, ['-db', '-f', file], first);
  const answer = await untilServed(`http://127.0.0.1:${first}/over-http1`);
  t.is(String(answer.body), '/over-http1 from 127.0.0.1 by 2\n');
  const session = await connectHttp2(t, `http://127.0.0.1:${second}`);
  t.is(
    String((await request(session, { ':path': '/over-http2' })).body),
    '/over-http2 from 127.0.0.1 by 2\n',
  );
  const body = 'x'.repeat(100_000);
  const posted = await requestHttp1(`http://127.0.0.1:${first}/echo`, { method: 'POST', body });
  t.is(String(posted.body), body);
});

withNginx('nginx serves from it, WebSockets too, and Sluice knows the client', async (t) => {
  const replaced = await start(t, 'nginx');
  const place = folder(t);
  for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(place, name));
  const file = join(place, 'nginx.conf');
  const temporary = [
    'client_body_temp_path body',
    'proxy_temp_path proxy',
    'fastcgi_temp_path fastcgi',
    'uwsgi_temp_path uwsgi',
    'scgi_temp_path scgi',
  ];
  writeFileSync(
    file,
    `daemon off; master_process off; pid nginx.pid; error_log stderr;
events {}
http { access_log off; ${temporary.map((line) => `${line};`).join(' ')}
${replaced(blocksBelow('nginx', 'nginx')[0] as string)}
}`,
  );
  const port = Number(replaced('8000'));
  await run(t, nginx, ['-p', place, '-c', file, '-e', 'stderr'], port);
  const answer = await requestHttp1(`http://127.0.0.1:${port}/here`);
  t.is(String(answer.body), '/here from 127.0.0.1 by 1.1\n');
  const body = 'x'.repeat(100_000);
  const posted = await requestHttp1(`http://127.0.0.1:${port}/echo`, { method: 'POST', body });
  t.is(String(posted.body), body);
  t.is(await echoed(`ws://127.0.0.1:${port}/socket`), 'hello');
});

anyTest('every configuration on the page is one', (t) => {
  const parts = blocksOf(page).filter(({ language }) => language === 'json');
  t.true(parts.length >= 4);
  for (const { text } of parts) {
    const rest = { pools: { app: { application: './app.ts' } }, routes: [{ path: '/*', pool: 'app' }] };
    t.notThrows(
      () => parseConfig(JSON.stringify({ ...rest, ...JSON.parse(text) }), 'runtime.config.json'),
      text,
    );
  }
});
