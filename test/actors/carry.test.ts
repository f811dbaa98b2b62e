/** What goes along with a message: stores that are named, and the trace. Over real threads. */
import { AsyncLocalStorage } from 'node:async_hooks';
import test from 'ava';
import { carry, traceOf } from '../../workers/actors/actors.ts';
import { actors, startActorServer } from './actor-server.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('a store that is named and the trace of a request arrive in the method, and in what it calls', async (t) => {
  const { askWith } = await startActorServer(t);
  const fields = { 'x-tenant': 'acme', traceparent: TRACE, tracestate: 'a=1,b=2' };
  const carried = { tenant: { name: 'acme' }, trace: { traceparent: TRACE, tracestate: 'a=1,b=2' } };
  const [direct, nested] = await askWith(
    fields,
    { actor: 'tasks', method: 'carried' },
    { actor: 'relay', method: 'carried' },
  );
  t.deepEqual(direct?.value, carried);
  t.deepEqual(nested?.value, carried);
  const [without] = await askWith({}, { actor: 'tasks', method: 'carried' });
  t.deepEqual(without?.value, {}, 'a call that brings nothing along has none of the one before');
});

test('each of the calls that run at once has its own, a stream until its end', async (t) => {
  const { askWith } = await startActorServer(t, {
    actors: { ...actors, streams: { pool: 'tasks', export: 'Streams', kind: 'pool' } },
    tasks: 1,
  });
  const names = ['one', 'two', 'three'];
  const taken = await Promise.all(
    names.map((name) =>
      askWith({ 'x-tenant': name }, { actor: 'streams', method: 'carried', args: [20], take: 30 }),
    ),
  );
  for (const [n, name] of names.entries()) {
    t.deepEqual(taken[n]?.[0]?.value, new Array(20).fill(name));
  }
});

test('a store that no message can carry refuses the call, and says where', async (t) => {
  const { askWith } = await startActorServer(t);
  const [refused] = await askWith({ 'x-tenant': 'function' }, { actor: 'tasks', method: 'carried' });
  t.like(refused?.error, { code: 'SLUICE_MESSAGE_INVALID', begun: 'no' });
  t.regex(String(refused?.error?.message), /tenant\.name: expected plain data, got a function/);
});

test('a name is taken once, and stores are bounded', (t) => {
  const store = new AsyncLocalStorage<string>();
  carry('of-the-test', store);
  carry('of-the-test', store);
  t.throws(() => carry('of-the-test', new AsyncLocalStorage()), { code: 'SLUICE_VALUE_INVALID' });
  t.throws(() => carry('trace', new AsyncLocalStorage()), { code: 'SLUICE_VALUE_INVALID' });
  t.throws(() => carry('no name', new AsyncLocalStorage()), { code: 'SLUICE_VALUE_INVALID' });
  t.throws(() => carry('nothing', {} as never), { code: 'SLUICE_VALUE_INVALID' });
  t.throws(
    () => {
      for (let n = 0; n < 20; n++) carry(`more-${n}`, new AsyncLocalStorage());
    },
    { message: /at most 16 stores/ },
  );
});

test('a trace is what the specification says, and nothing else', (t) => {
  const of = (traceparent: readonly string[], tracestate: readonly string[] = []) =>
    traceOf({ all: (name) => (name === 'traceparent' ? traceparent : tracestate) });
  t.deepEqual(of([TRACE]), { traceparent: TRACE });
  t.deepEqual(of([TRACE], ['a=1', 'b=2']), { traceparent: TRACE, tracestate: 'a=1,b=2' });
  t.deepEqual(of([`${TRACE.replace(/^00/, '01')}-more`]), {
    traceparent: `${TRACE.replace(/^00/, '01')}-more`,
  });
  for (const wrong of [
    [],
    [TRACE, TRACE],
    [`${TRACE}-more`],
    [TRACE.replace(/^00/, 'ff')],
    [TRACE.toUpperCase()],
    [TRACE.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32))],
    [TRACE.replace('b7ad6b7169203331', '0'.repeat(16))],
    ['nonsense'],
  ]) {
    t.is(of(wrong), undefined, wrong.join());
  }
  t.deepEqual(of([TRACE], ['x'.repeat(513)]), { traceparent: TRACE });
});
