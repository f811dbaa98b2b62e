/** What a generator may yield, and what is said of anything else (docs/sgi.md, rule 12.2). */
import test from 'ava';
import { fromGenerator } from '../../workers/faces/generator.ts';
import type { Yielded } from '../../workers/gateway.ts';
import { MemoryExchange } from '../apps/memory-exchange.ts';
import { contents } from '../values/wrong.ts';

async function run(...items: readonly unknown[]) {
  let finalised = false;
  const application = fromGenerator(async function* () {
    try {
      for (const item of items) yield item as Yielded;
    } finally {
      finalised = true;
    }
  });
  const exchange = new MemoryExchange({ path: '/' });
  const error = await Promise.resolve(application(exchange)).then(
    () => null,
    (error: { code?: string; message: string }) => error,
  );
  return { error, finalised };
}

/** These two are asked for members, and throw for themselves. */
const SPEAKING = new Set(['a proxy that throws', 'a revoked proxy']);

/** A Response has a status, like a head; a promise is waited for by `yield` itself. */
const OTHERS = new Set(['a Response', 'a promise']);

for (const [what, wrong] of contents) {
  if (SPEAKING.has(what) || OTHERS.has(what)) continue;
  test(`a generator that yields ${what} fails, with what came`, async (t) => {
    const isLikeBytes =
      wrong instanceof Uint8Array && !what.startsWith('a proxy') && !what.startsWith('what only');
    for (const items of [[wrong], [{ status: 200 }, wrong], [{ status: 200 }, 'a', 'b', wrong]]) {
      const { error, finalised } = await run(...items);
      t.true(finalised);
      if (isLikeBytes) continue;
      t.is(error?.code, 'SLUICE_ITEM_INVALID');
      t.regex(error?.message ?? '', /expected a head .+, a chunk .+ or trailers, the generator yielded .+/);
    }
  });
}

for (const what of SPEAKING) {
  test(`a generator that yields ${what} fails and is finalised`, async (t) => {
    const wrong = contents.find(([name]) => name === what)?.[1];
    const { error, finalised } = await run({ status: 200 }, wrong);
    t.true(error !== null && finalised);
  });
}

test('what is none of the items of a generator is told apart from one too early', async (t) => {
  t.like((await run('a')).error, { code: 'SLUICE_RESPONSE_NOT_STARTED' });
  t.like((await run({ trailers: {} })).error, { code: 'SLUICE_RESPONSE_NOT_STARTED' });
  t.like((await run({ status: '200' })).error, { code: 'SLUICE_ITEM_INVALID' });
  t.like((await run({ status: 200 }, { status: 200 })).error, { code: 'SLUICE_RESPONSE_STARTED' });
  const { error } = await run({ status: 200 }, { trailers: {} }, 5);
  t.is(error?.code, 'SLUICE_RESPONSE_ENDED');
  t.regex(error?.message ?? '', /yielded 5$/);
});

test('an application that gives no async generator is told so', async (t) => {
  for (const given of [undefined, null, 'text', [1], (function* () {})(), Promise.resolve()]) {
    const application = fromGenerator(() => given as never);
    await t.throwsAsync(async () => application(new MemoryExchange({ path: '/' })), {
      code: 'SLUICE_VALUE_INVALID',
      message: /expected the application to give an async generator, got/,
    });
  }
});
