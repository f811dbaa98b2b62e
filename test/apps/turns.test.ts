import test from 'ava';
import { Turns } from '../../apps/hash/turns.ts';

const OPEN = new AbortController().signal;

test('work is done one piece at a time, in order of arrival', async (t) => {
  const turns = new Turns();
  const gates = [0, 1, 2].map(() => Promise.withResolvers<void>());
  const events: string[] = [];
  const done = gates.map((gate, i) =>
    turns.take(OPEN, async () => {
      events.push(`begin ${i}`);
      await gate.promise;
      events.push(`end ${i}`);
      return i;
    }),
  );
  // The last one could end first, and still waits for its turn.
  gates[2].resolve();
  gates[1].resolve();
  gates[0].resolve();
  t.deepEqual(await Promise.all(done), [0, 1, 2]);
  t.deepEqual(events, ['begin 0', 'end 0', 'begin 1', 'end 1', 'begin 2', 'end 2']);
});

test('failed work is reported to its caller and does not stop the next', async (t) => {
  const turns = new Turns();
  const failing = turns.take(OPEN, () => Promise.reject(new Error('no memory')));
  const next = turns.take(OPEN, () => Promise.resolve('done'));
  await t.throwsAsync(failing, { message: 'no memory' });
  t.is(await next, 'done');
});

test('work whose client has left before its turn is not begun', async (t) => {
  const turns = new Turns();
  const gate = Promise.withResolvers<void>();
  const client = new AbortController();
  const first = turns.take(OPEN, () => gate.promise);
  const second = turns.take(client.signal, () => Promise.reject(new Error('it was begun')));
  client.abort(new Error('the peer has gone'));
  gate.resolve();
  await first;
  await t.throwsAsync(second, { message: 'the peer has gone' });
});
