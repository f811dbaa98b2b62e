/**
 * Clients that send one small request after another, side by side, while something goes wrong. Each request is counted: complete,
 * refused so that it may be sent again, or failed with a reason. The application (`applications/fated.ts`) says in a file what it has
 * begun: what is complete has run once, what was refused never, and nothing twice.
 *
 * The tests that use it are short. `SLUICE_FAULT_ROUNDS=20` has each fault come as often as that.
 */
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ClientHttp2Session } from 'node:http2';
import type { ExecutionContext } from 'ava';
import { AppFolder } from '../reload/app-folder.ts';
import { application, type PoolInput } from '../server/harness.ts';
import { type Answer, connectHttp2, request } from '../server/http2-client.ts';

export const ROUNDS = Number(process.env.SLUICE_FAULT_ROUNDS ?? 1);
/** For one round, on a busy machine. */
export const PATIENCE_MS = 120_000;
const SIDE_BY_SIDE = 20;
const REFUSED_STREAM = 7;

/** What threads do that are started from now on. */
export type Fate =
  | 'lives'
  | 'dies in start'
  | 'dies soon'
  | 'dies in stop'
  | 'never stops'
  | 'hangs on load'
  | 'waits on load';

interface Counts {
  sent: number;
  complete: number;
  /** Not begun: the client may send it again. */
  refused: number;
  /** 502, 504, or a reset. */
  failed: number;
  /** Whatever else: lost. */
  lost: string[];
}

export class FaultLoad {
  readonly counts: Counts = { sent: 0, complete: 0, refused: 0, failed: 0, lost: [] };
  readonly #t: ExecutionContext;
  readonly #journal: string;
  readonly #fate: string;
  readonly #complete: string[] = [];
  readonly #refused: string[] = [];
  #state: 'running' | 'ending' = 'running';
  #clients: Promise<unknown> = Promise.resolve();
  #waiting: (() => void)[] = [];

  constructor(t: ExecutionContext, fate: Fate = 'lives') {
    t.timeout(PATIENCE_MS * ROUNDS);
    const folder = new AppFolder(t);
    this.#t = t;
    this.#journal = folder.write('journal', '');
    this.#fate = folder.write('fate', fate);
  }

  /** Of a pool whose threads obey. They load on a busy machine too, and nothing waits for too long, unless the test says so. */
  pool(own: Partial<PoolInput> = {}): PoolInput {
    return {
      application: application('faults', 'fated'),
      threads: 2,
      minUptimeMs: 0,
      queue: { maxWaitMs: 600_000 },
      env: { TEST_JOURNAL: this.#journal, TEST_FATE: this.#fate },
      restart: { intensity: 1, periodMs: 600_000, delayMs: 10, maxDelayMs: 50 },
      ...own,
    };
  }

  set fate(fate: Fate) {
    writeFileSync(this.#fate, fate);
  }

  /** Until `end`, or until the server takes no more. */
  async begin(origin: string, path = '/run'): Promise<void> {
    const session = await connectHttp2(this.#t, origin);
    const client = async () => {
      while (this.#state === 'running' && isOpen(session)) await this.send(session, path);
    };
    this.#clients = Promise.all([this.#clients, ...Array.from({ length: SIDE_BY_SIDE }, client)]);
  }

  /** One request. */
  async send(session: ClientHttp2Session, path: string): Promise<Answer> {
    const { counts } = this;
    const id = String(++counts.sent);
    const given = await request(session, { ':path': `${path}?id=${id}` });
    const { status, how, resetCode, body } = given;
    if (status === 200 && how === 'whole' && body.toString() === `ran ${id}`) {
      counts.complete++;
      this.#complete.push(id);
    } else if (status === 503 || resetCode === REFUSED_STREAM) {
      counts.refused++;
      this.#refused.push(id);
    } else if (status === 502 || status === 504 || resetCode !== 0) counts.failed++;
    else counts.lost.push(`${path}: ${status} ${how}`);
    for (const wake of this.#waiting.splice(0)) wake();
    return given;
  }

  /** Resolves when that is so, looked at with each answer. */
  async until(isSo: (counts: Counts) => boolean): Promise<void> {
    while (!isSo(this.counts)) await new Promise<void>((wake) => this.#waiting.push(wake));
  }

  /** Resolves when so many more are complete. */
  async completed(more: number): Promise<void> {
    const { complete } = this.counts;
    await this.until((counts) => counts.complete >= complete + more);
  }

  /** The clients end, and each of their requests is accounted for. */
  async end(): Promise<Counts> {
    this.#state = 'ending';
    await this.#clients;
    const { counts } = this;
    this.#t.log(counts);
    const runs = new Map<string, number>();
    for (const id of (await readFile(this.#journal, 'utf8')).split('\n').slice(0, -1)) {
      runs.set(id, (runs.get(id) ?? 0) + 1);
    }
    this.#t.deepEqual(counts.lost, []);
    this.#t.is(counts.complete + counts.refused + counts.failed, counts.sent);
    this.#t.deepEqual(
      [...runs].filter(([, times]) => times > 1),
      [],
      'none runs twice',
    );
    this.#t.deepEqual(
      this.#complete.filter((id) => !runs.has(id)),
      [],
      'what is complete has run',
    );
    this.#t.deepEqual(
      this.#refused.filter((id) => runs.has(id)),
      [],
      'what was refused has not',
    );
    return counts;
  }
}

function isOpen(session: ClientHttp2Session): boolean {
  return !session.closed && !session.destroyed;
}
