/**
 * A client that sends requests according to a plan, without waiting for responses. Usage: open-loop.ts PLAN
 * RESULT, two JSON files; prints `done`.
 *
 * A latency counts from when the request was due. So a client that is late itself, or a server that keeps it
 * from sending, hides nothing (no coordinated omission). A thread of its own keeps the time, because the
 * timers of an event loop have a resolution of a millisecond. Every response is compared with the expected
 * one.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { ClosedPlan, OpenPlan, Plan } from '../open-loop.ts';

if (isMainThread) await main();
else keepTime(workerData as Float64Array);

async function main(): Promise<void> {
  const [planFile, resultFile] = process.argv.slice(2);
  const plan = JSON.parse(readFileSync(planFile, 'utf8')) as Plan;
  const sessions = await Promise.all(Array.from({ length: plan.connections }, () => open(plan.origin)));
  const result = plan.loop === 'open' ? await runOpen(plan, sessions) : await runClosed(plan, sessions);
  writeFileSync(resultFile, JSON.stringify(result));
  console.log('done');
  process.exit(0);
}

function open(origin: string): Promise<ClientHttp2Session> {
  const { promise, resolve, reject } = Promise.withResolvers<ClientHttp2Session>();
  const session = connect(origin);
  // Waits for SETTINGS before the first request; otherwise the server's limit of streams is unknown.
  session.once('remoteSettings', () => resolve(session));
  session.once('error', reject);
  session.on('error', fail);
  return promise;
}

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}

function ask(session: ClientHttp2Session, path: string, body: string, onAnswered: () => void): void {
  const stream = session.request({ ':path': path });
  let status = 0;
  let received = '';
  stream.setEncoding('latin1');
  stream.once('response', (headers) => {
    status = headers[':status'] ?? 0;
  });
  stream.on('data', (text: string) => {
    received += text;
  });
  stream.once('error', fail);
  stream.once('end', () => {
    if (status !== 200 || received !== body) fail(new Error(`${path} was answered ${status} ${received}`));
    onAnswered();
  });
}

function runOpen({ arrivals, requests }: OpenPlan, sessions: readonly ClientHttp2Session[]) {
  const { promise, resolve } = Promise.withResolvers<{ latenciesMs: number[]; latenessMs: number[] }>();
  const latenciesMs = new Array<number>(arrivals.length).fill(0);
  const latenessMs = new Array<number>(arrivals.length).fill(0);
  const timeline = Float64Array.from(arrivals, ({ atMs }) => atMs);
  const clock = new Worker(new URL(import.meta.url), { workerData: timeline });
  let left = arrivals.length;
  clock.once('error', fail);
  clock.on('message', ([index, sinceMs]: [number, number]) => {
    const dueMs = sinceMs + arrivals[index].atMs;
    latenessMs[index] = monotonicMs() - dueMs;
    const { path, body } = requests[arrivals[index].kind];
    ask(sessions[index % sessions.length], path, body, () => {
      latenciesMs[index] = monotonicMs() - dueMs;
      if (--left === 0) resolve({ latenciesMs, latenessMs });
    });
  });
  return promise;
}

/** Runs in a thread of its own: reports each arrival when it is due. */
function keepTime(timeline: Float64Array): void {
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  const startMs = monotonicMs();
  for (const [index, atMs] of timeline.entries()) {
    const waitMs = startMs + atMs - monotonicMs();
    if (waitMs > 0) Atomics.wait(nobody, 0, 0, waitMs);
    parentPort?.postMessage([index, startMs]);
  }
}

/** The same in both threads, unlike `performance.now`. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * Keeps this many requests in flight for as long as the plan says, to find out how many of each kind the
 * server can do.
 */
function runClosed(
  { kinds, requests, inFlight, seconds }: ClosedPlan,
  sessions: readonly ClientHttp2Session[],
) {
  const { promise, resolve } = Promise.withResolvers<{ seconds: number; answered: number[] }>();
  const answered = requests.map(() => 0);
  const startMs = performance.now();
  let asked = 0;
  const next = (): void => {
    const passedMs = performance.now() - startMs;
    // Requests that are in flight then are cut off.
    if (passedMs >= seconds * 1_000) resolve({ seconds: passedMs / 1_000, answered: [...answered] });
    const kind = kinds[asked % kinds.length];
    const session = sessions[asked++ % sessions.length];
    ask(session, requests[kind].path, requests[kind].body, () => {
      answered[kind]++;
      next();
    });
  };
  for (let request = 0; request < inFlight; request++) next();
  return promise;
}
