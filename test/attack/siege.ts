/**
 * A server under attack, as a separate process, and an honest client. The attackers continue, disconnected or
 * not, until the honest client has been answered. The tests check that it is answered before the attackers
 * have finished. They do not check how long it takes on a machine that the attack itself keeps busy.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { ConfigInput } from '../../runtime/config/schema.ts';
import type { Scope } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import type { LogLines } from '../server/log-lines.ts';
import { startProcess } from '../server/process.ts';

export const MEBIBYTE = 1_048_576;
/**
 * Growth of what the server holds during the attack. How far its process grows beyond that depends on when V8
 * collects garbage, which on a busy machine is late.
 */
const MAX_GROWTH_BYTES = 64 * MEBIBYTE;
/**
 * The honest client's requests, one after the other: over HTTP/2 on a kept connection, and each on a new one.
 */
const KEPT_REQUESTS = 40;
const FRESH_REQUESTS = 4;

export interface Target {
  readonly port: number;
  readonly origin: string;
  readonly log: LogLines;
  residentBytes(): number;
  /** What the main thread and the application's thread hold when their garbage has been collected. */
  heldBytes(): Promise<number>;
}

export interface Attack {
  /** The number of concurrent attackers. */
  readonly attackers: number;
  /** How many rounds each of them runs at most. */
  readonly rounds: number;
  /** What it may make the server hold by configuration, such as windows; default: nothing worth counting. */
  readonly heldBytes?: number;
  /** Runs one round; resolves with the server's reaction. */
  strike(scope: Scope, port: number): Promise<string>;
}

type TargetConfig = Pick<ConfigInput, 'limits' | 'http2' | 'http1'>;

export function startTarget(scope: Scope, config: TargetConfig = {}): Promise<Target> {
  return start(scope, config, []);
}

/** The same with TLS, and a certificate that the server generates. */
export async function startTlsTarget(scope: Scope, config: TargetConfig = {}): Promise<Target> {
  const target = await start(scope, config, ['--dev-tls']);
  return { ...target, origin: target.origin.replace('http:', 'https:') };
}

async function start(scope: Scope, config: TargetConfig, flags: readonly string[]): Promise<Target> {
  const application = fileURLToPath(new URL('applications/target.ts', import.meta.url));
  const { child, listening, log } = startProcess(
    scope,
    {
      // The copies that the validator makes would count in the measured memory.
      pools: {
        target: { application, validate: false, threads: { min: 1, max: 1 }, exchangesPerThread: 4_096 },
      },
      log: { level: 'info', format: 'json' },
      ...config,
    },
    flags,
    { NODE_OPTIONS: `--import=${new URL('collect-on-signal.ts', import.meta.url).href}` },
  );
  const origin = await listening();
  let collections = 0;
  const measure = async (): Promise<number> => {
    const msg = `collected ${++collections}`;
    const logged = log.until('collected', (line) => line.msg === msg);
    child.kill('SIGUSR2');
    const { body } = await requestHttp1(`${origin}/collected`);
    return Number((await logged).heldBytes) + Number(body.toString());
  };
  // One after the other: signals that are sent together arrive as one.
  let last = Promise.resolve(0);
  const heldBytes = (): Promise<number> => {
    last = last.then(measure);
    return last;
  };
  return {
    origin,
    port: Number(new URL(origin).port),
    log,
    residentBytes: () => residentBytes(child.pid as number),
    heldBytes,
  };
}

/** Sends one request on a connection of its own. @returns the content of its response */
export async function askByTls({ port }: Target): Promise<string | undefined> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  socket.write('GET /hello HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return /^HTTP\/1\.1 200 [\s\S]*?\r\n\r\n([\s\S]*)$/.exec(answer)?.[1];
}

/** Resident bytes of a process (proc(5)). */
function residentBytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1_024;
}

/** Sends the honest client's requests. @returns how many got the right response. */
export async function askHonestly(scope: Scope, { origin }: Target): Promise<number> {
  let answered = 0;
  const session = await connectHttp2(scope, origin);
  for (let n = 0; n < KEPT_REQUESTS; n++) {
    const { status, body } = await request(session, { ':path': '/hello' });
    if (status === 200 && body.toString() === 'hello') answered++;
  }
  for (let n = 0; n < FRESH_REQUESTS; n++) {
    const { status, body } = await requestHttp1(`${origin}/hello`);
    if (status === 200 && body.toString() === 'hello') answered++;
  }
  session.close();
  return answered;
}

export const HONEST_REQUESTS = KEPT_REQUESTS + FRESH_REQUESTS;

/** @returns the server's reaction to each round, in no particular order. */
export async function besiege(t: ExecutionContext, target: Target, attack: Attack): Promise<string[]> {
  const before = await target.heldBytes();
  const outcomes: string[] = [];
  let state: 'on' | 'over' = 'on';
  let left = attack.attackers * attack.rounds;
  const begun = Promise.withResolvers<void>();
  const storm = async (): Promise<void> => {
    for (let round = 0; round < attack.rounds && state === 'on'; round++) {
      outcomes.push(await attack.strike(t, target.port));
      left--;
      if (outcomes.length >= attack.attackers) begun.resolve();
    }
  };
  const storms = Promise.all(Array.from({ length: attack.attackers }, storm));
  await begun.promise;
  const answered = await askHonestly(t, target);
  t.true(left > 0, 'the attack was still on when the honest client had its last answer');
  const grown = (await target.heldBytes()) - before;
  state = 'over';
  await storms;
  t.is(answered, HONEST_REQUESTS);
  t.true(
    grown <= MAX_GROWTH_BYTES + (attack.heldBytes ?? 0),
    `the server holds ${Math.round(grown / MEBIBYTE)} MiB more`,
  );
  return outcomes;
}

/** A raw socket that collects what it receives, from an address of the attacker's own. */
export interface RawSocket {
  readonly text: () => string;
  /** Something has arrived. */
  readonly answered: Promise<unknown>;
  readonly closed: Promise<void>;
  send(bytes: string | Uint8Array): void;
  destroy(): void;
}

export function rawSocket(scope: Scope, port: number, localAddress = '127.0.0.1'): RawSocket {
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
  scope.teardown(() => socket.destroy());
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  const answered = new Promise((resolve) => socket.once('data', resolve));
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {
    text: () => text,
    answered,
    closed,
    send: (bytes) => socket.write(bytes),
    destroy: () => socket.destroy(),
  };
}
