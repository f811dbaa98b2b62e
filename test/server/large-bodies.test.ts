/**
 * Bodies larger than what one turn takes, 100 at a time on one connection: rings fill and empty all the time, in both directions,
 * and some of the exchanges always wait for room. Every one of them comes to its end, with its own bytes. A wake-up that is lost
 * shows at once, as the watchdog of `startServer`.
 *
 * What hesitates between its look for room and its wish for it meets a wake-up that can be lost in every run: with a ring that lost
 * some, 19 of 20. Without that it takes an idle machine: there 37 of 60 runs of 5,000 downloads hung, and on a busy one 1 of 20.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { CONTENT_BYTES, contentOf } from './content.ts';
import { application, startServer } from './harness.ts';
import { hesitate } from './hesitation.ts';
import { connectHttp2, request } from './http2-client.ts';

const run = promisify(execFile);
const AT_ONCE = 100;

/** Rings of a quarter of the usual size. */
const CROWDED = { ringBytes: 262_144 } as const;

async function start(
  t: ExecutionContext,
  name: string,
  threads: number,
  options: object = {},
): Promise<string> {
  const pool = {
    application: application('server', name),
    threads: { min: threads, max: threads },
    ...options,
  };
  return (await startServer(t, { pools: { pool } })).origin;
}

/** So many exchanges, `AT_ONCE` of them open at any time; each says what went wrong with it, or nothing. */
async function all(count: number, exchange: (path: string) => Promise<string | null>): Promise<string[]> {
  const wrong: string[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const path = `/${next++}`;
      const found = await exchange(path);
      if (found !== null) wrong.push(`${path}: ${found}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return wrong;
}

async function downloads(t: ExecutionContext, origin: string, count: number): Promise<string[]> {
  const session = await connectHttp2(t, origin);
  return await all(count, async (path) => {
    const { how, status, body } = await request(session, { ':path': path });
    return how === 'whole' && contentOf(path).equals(body) ? null : `${status}, ${how}, ${body.length} bytes`;
  });
}

async function uploads(t: ExecutionContext, origin: string, count: number): Promise<string[]> {
  const session = await connectHttp2(t, origin);
  return await all(count, async (path) => {
    const answer = await request(session, { ':path': path, ':method': 'POST' }, contentOf(path));
    const text = answer.body.toString();
    return text === `${path} ${CONTENT_BYTES} right` ? null : `${answer.status}, ${answer.how}, ${text}`;
  });
}

for (const threads of [1, 3]) {
  test.serial(`downloads through ${threads} threads that hesitate all come whole`, async (t) => {
    t.deepEqual(await downloads(t, await start(t, 'hesitant-pieces', threads, CROWDED), 500), []);
  });

  test.serial(`uploads from a reactor that hesitates to ${threads} threads all come whole`, async (t) => {
    t.teardown(hesitate());
    t.deepEqual(await uploads(t, await start(t, 'pieces', threads, CROWDED), 500), []);
  });

  test.serial(`downloads and uploads at once through ${threads} threads all come whole`, async (t) => {
    const origin = await start(t, 'pieces', threads);
    const wrong = await Promise.all([downloads(t, origin, 500), uploads(t, origin, 500)]);
    t.deepEqual(wrong, [[], []]);
  });

  test.serial(`h2load is served downloads and uploads by ${threads} threads to the last`, async (t) => {
    const origin = await start(t, 'pieces', threads);
    const directory = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    t.teardown(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'content');
    writeFileSync(file, contentOf('/upload'));
    for (const [kind, path] of [
      [[], '/download'],
      [['-d', file], '/upload'],
    ] as const) {
      const { stdout } = await run('h2load', ['-n3000', '-c1', `-m${AT_ONCE}`, ...kind, `${origin}${path}`]);
      t.regex(stdout, /3000 succeeded, 0 failed, 0 errored, 0 timeout/);
    }
  });
}
