/**
 * Reload after reload while clients send all that a server is sent. More of them than the suite runs:
 * SLUICE_RELOADS=100 npx ava --timeout=30m test/reload/under-load.test.ts
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { BroadcastChannel } from 'node:worker_threads';
import test from 'ava';
import { WebSocket } from 'ws';
import { parseConfig } from '../../runtime/config/load.ts';
import { configInput, type ServerInput, START_PATIENCE_MS, startServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { answer, connectHttp2 } from '../server/http2-client.ts';

const RELOADS = Number(process.env.SLUICE_RELOADS ?? 4);
/** Of one after the other, for each reload and client; a client goes on until the reloads are over. */
const UPLOAD = Buffer.alloc(200_000, 'u');

/** What became of what was sent. */
class Journal {
  readonly name = randomUUID();
  readonly begun = new Map<string, number>();
  readonly #channel = new BroadcastChannel(this.name);
  completed = 0;
  readonly failed: string[] = [];
  #count = 0;

  constructor() {
    this.#channel.onmessage = (message) => {
      const id = String((message as { data: unknown }).data);
      this.begun.set(id, (this.begun.get(id) ?? 0) + 1);
    };
  }

  fields(kind: string): { 'x-journal': string; 'x-id': string } {
    return { 'x-journal': this.name, 'x-id': `${kind}-${++this.#count}` };
  }

  get sent(): number {
    return this.#count;
  }

  note(isWhole: boolean, what: string): void {
    if (isWhole) this.completed++;
    else this.failed.push(what);
  }

  get twice(): string[] {
    return [...this.begun].filter(([, times]) => times > 1).map(([id]) => id);
  }

  close(): void {
    this.#channel.close();
  }
}

test('reloads under load lose nothing and run nothing twice: uploads, events, WebSockets, small requests', async (t) => {
  t.timeout(120_000 + 15_000 * RELOADS);
  const application = fileURLToPath(new URL('./applications/long.ts', import.meta.url));
  const pool = {
    application,
    threads: { min: 2, max: 2 },
    minUptimeMs: 0,
    startTimeoutMs: START_PATIENCE_MS,
    // A busy machine starts threads slowly, and nothing here is about that.
    queue: { maxWaitMs: 300_000 },
  };
  const input: ServerInput = {
    pools: { app: pool },
    routes: [{ path: '/*', pool: 'app', websocket: true }],
    reload: { drainTimeoutMs: 300_000 },
  };
  const { server, origin } = await startServer(t, input);
  const journal = new Journal();
  t.teardown(() => journal.close());
  const session = await connectHttp2(t, origin);
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  t.teardown(() => agent.destroy());
  let isOver = false;
  const threads = new Set<string>();
  const over2 = async (path: string, body?: Buffer) => {
    const fields = journal.fields(path);
    const stream = session.request(
      { ':path': path, ':method': body === undefined ? 'GET' : 'POST', ...fields },
      { endStream: body === undefined },
    );
    const answered = answer(stream);
    if (body !== undefined) {
      // In two pieces, so that it is under way while threads change.
      stream.write(body.subarray(0, 100_000));
      setImmediate(() => stream.end(body.subarray(100_000)));
    }
    const { status, how, resetCode, body: text } = await answered;
    const isWhole = status === 200 && how === 'whole' && resetCode === 0;
    journal.note(isWhole, `${fields['x-id']} over HTTP/2: ${status} ${how} ${resetCode}`);
    return String(text);
  };
  const over1 = async (path: string, body?: Buffer) => {
    const fields = journal.fields(path);
    const sent = { headers: fields, agent, ...(body && { method: 'POST', body }) };
    const { status, how, body: text } = await requestHttp1(`${origin}${path}`, sent);
    journal.note(status === 200 && how === 'whole', `${fields['x-id']} over HTTP/1.1: ${status} ${how}`);
    return String(text);
  };
  const socket = async () => {
    const headers = journal.fields('/socket');
    const client = new WebSocket(`${origin.replace('http', 'ws')}/socket`, { headers });
    let echoed = 0;
    client.on('message', () => {
      echoed++;
      if (isOver) client.close();
      else client.send(`${echoed}`);
    });
    client.on('open', () => client.send('0'));
    const [code] = await once(client, 'close');
    // Whoever is told to go away comes again.
    journal.note(code === 1001 || isOver, `socket: ${code} after ${echoed}`);
  };
  const clients = [
    async () => threads.add(await over2('/')),
    async () => threads.add(await over1('/')),
    async () => t.is(await over2('/upload', UPLOAD), String(UPLOAD.length)),
    async () => t.is(await over1('/upload', UPLOAD), String(UPLOAD.length)),
    async () => t.regex(await over2('/events'), /data: draining\n\n$/),
    socket,
  ].map(async (client) => {
    while (!isOver) await client();
  });
  for (let count = 0; count < RELOADS; count++) {
    await server.reload(parseConfig(JSON.stringify(configInput(input)), 'test.config.json'));
  }
  await server.reloadSettled();
  isOver = true;
  // The streams of events end with their threads.
  const drained = server.reload(parseConfig(JSON.stringify(configInput(input)), 'test.config.json'));
  await Promise.all(clients);
  await drained;
  await server.reloadSettled();
  t.log(
    `${journal.sent} sent, ${journal.completed} completed, by ${threads.size} threads, ${RELOADS} reloads`,
  );
  t.deepEqual(journal.failed, []);
  t.is(journal.completed, journal.sent);
  t.deepEqual(journal.twice, []);
  t.is(server.status().pools[0]?.exchanges.complete, journal.sent);
  t.is(server.status().pools[0]?.threads.length, 2);
  t.is(server.status().pools[0]?.diedThreads, 0);
  t.false(session.closed);
});
