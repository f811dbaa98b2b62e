/** A server process that is ended by SIGTERM while its mailboxes are full. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { startProcess } from '../server/process.ts';
import { actorModule } from './actor-server.ts';
import type { Filled } from './applications/filling.ts';

const MAILBOX = 64;
const AT_DEADLINE = 'drain deadline reached: applications that have not stopped are ended';

async function fill(t: ExecutionContext, keys: readonly string[], count: number, drainTimeoutMs: number) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-actors-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'handled');
  writeFileSync(file, '');
  const module = actorModule('filling');
  const one = { min: 1, max: 1 };
  const process = startProcess(
    t,
    {
      drainTimeoutMs,
      pools: { web: { application: module, threads: one }, state: { module, threads: one } },
      routes: [{ path: '/*', pool: 'web' }],
      actors: { slow: { pool: 'state', export: 'Slow', kind: 'keyed', mailboxMessages: MAILBOX } },
    },
    [],
    { HANDLED_FILE: file },
  );
  const origin = await process.listening();
  const query = keys.map((key) => `key=${key}`).join('&');
  const filled = (await (await fetch(`${origin}/?${query}&count=${count}`)).json()) as Filled;
  process.child.kill('SIGTERM');
  const ended = await process.ended;
  const { lines } = process.log;
  const said = lines.map(({ msg }) => msg);
  const lost = lines.filter(({ msg }) => msg === 'a message to an actor was lost');
  return { filled, handled: readFileSync(file, 'utf8').split('\n').slice(0, -1), lost, said, ended };
}

test('SIGTERM with full mailboxes: what was accepted is handled, once and in order, and the excess was refused', async (t) => {
  const { filled, handled, lost, said, ended } = await fill(t, ['a', 'b', 'c'], 2 * MAILBOX, 300_000);
  t.deepEqual(ended, { code: 0, signal: null });
  t.false(said.includes(AT_DEADLINE), 'it ends when all is handled, and waits no longer');
  t.true(filled.refused > 0);
  t.deepEqual(filled.codes, ['SLUICE_ACTOR_OVERLOADED']);
  t.is(handled.length, filled.accepted);
  t.is(new Set(handled).size, handled.length);
  for (const key of ['a', 'b', 'c']) {
    const own = handled.filter((line) => line.startsWith(key)).map((line) => Number(line.slice(2)));
    t.deepEqual(
      own,
      own.toSorted((x, y) => x - y),
    );
  }
  t.deepEqual(lost, []);
});

test('SIGTERM with a mailbox that nobody empties: what was accepted is handled or reported, by the deadline', async (t) => {
  const { filled, handled, lost, said, ended } = await fill(t, ['stuck', 'b'], MAILBOX, 3_000);
  t.deepEqual(ended, { code: 0, signal: null });
  // The deadline ends the threads; the server waits for nothing else.
  t.is(said.filter((msg) => msg === AT_DEADLINE).length, 1);
  t.true(said.lastIndexOf('stopped') > said.indexOf(AT_DEADLINE));
  t.true(said.indexOf('a message to an actor was lost') > said.indexOf(AT_DEADLINE));
  t.is(filled.accepted, 2 * MAILBOX);
  t.is(lost.filter(({ key }) => key === 'stuck').length, MAILBOX);
  // A busy machine may not come to all of it within the deadline, and one that has ended may not have said so by then.
  const accounted = handled.length + lost.filter(({ key }) => key === 'b').length;
  t.true(accounted === MAILBOX || accounted === MAILBOX + 1, `${accounted}`);
});
