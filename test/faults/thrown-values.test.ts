/** Whatever an application throws, wherever: its exchange or its thread ends as ever, the log says of what, and the server goes on. */
import test from 'ava';
import { application, startServer } from '../server/harness.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { thrownValues } from './thrown-values.ts';

const names = Object.keys(thrownValues);

for (const place of ['exchange', 'async-exchange']) {
  test.serial(
    `any value that an application throws on its exchange costs that exchange: ${place}`,
    async (t) => {
      const { origin, log } = await startServer(t, {
        pools: { pool: { application: application('faults', 'throwing'), threads: { max: 1 } } },
      });
      const session = await connectHttp2(t, origin);
      for (const name of names) {
        const path = `/pool/${place}/${name}`;
        t.is((await request(session, { ':path': path })).status, 500, name);
      }
      t.is(log.count('thread died'), 0);
      t.is((await request(session, { ':path': '/pool/well' })).body.toString(), 'well');
    },
  );
}

/** A thread for each takes time, so these are those that Node itself, or the main thread, treats in different ways. */
const mortal: { readonly [place: string]: readonly string[] } = {
  callback: [
    'null',
    'undefined',
    'null-prototype',
    'port',
    'proxy',
    'revoked-proxy',
    'nested',
    'stack-getter',
    'cause-itself',
    'causes-many',
    'another-realm',
  ],
  rejection: ['null', 'port', 'proxy', 'message-getter'],
  handler: ['null', 'port', 'proxy', 'nested'],
};

for (const [place, values] of Object.entries(mortal)) {
  test.serial(`any value that nobody catches ends its thread alone: ${place}`, async (t) => {
    const { origin, log } = await startServer(t, {
      pools: {
        pool: {
          application: application('faults', 'throwing'),
          threads: { max: 1 },
          restart: { intensity: 1_000, periodMs: 600_000 },
        },
      },
    });
    const session = await connectHttp2(t, origin);
    for (const [deaths, name] of values.entries()) {
      t.is((await request(session, { ':path': `/pool/${place}/${name}` })).status, 502, name);
      const died = log.lines.filter(({ msg }) => msg?.includes('thread died'));
      t.is(died.length, deaths + 1, name);
      const { message } = died[deaths].err as { message: string };
      t.regex(message, /\S/, name);
    }
    t.is((await request(session, { ':path': '/pool/well' })).body.toString(), 'well');
  });
}

test.serial('the log names the error that a thread died of, with its causes and its code', async (t) => {
  const { origin, log } = await startServer(t, {
    pools: { pool: { application: application('faults', 'throwing'), threads: { max: 1 } } },
  });
  const session = await connectHttp2(t, origin);
  await request(session, { ':path': '/pool/callback/caused' });
  const { err } = await log.until('thread died');
  t.like(err, { type: 'TypeError', message: 'no answer: nobody there', code: 'E_NO_ANSWER' });
  t.regex(
    (err as { stack: string }).stack,
    /^TypeError: no answer\n +at .*\ncaused by: RangeError: nobody there\n +at /s,
  );
});

for (const [place, name] of [
  ['exchange', 'long'],
  ['callback', 'long'],
] as const) {
  test.serial(`of an error with megabytes the log keeps what it may, and its frames: ${place}`, async (t) => {
    const { origin, log } = await startServer(t, {
      pools: { pool: { application: application('faults', 'throwing'), threads: { max: 1 } } },
      log: { level: 'debug', format: 'json', maxErrorChars: 1_000 },
    });
    const session = await connectHttp2(t, origin);
    await request(session, { ':path': `/pool/${place}/${name}` });
    const line = await log.until(place === 'exchange' ? 'application failed' : 'thread died');
    t.true(JSON.stringify(line).length < 10_000);
    const { message, stack } = line.err as { message: string; stack: string };
    t.is(message.length, 1_000 * 2 + 2, 'its own and one of a cause');
    t.regex(message, /^m+… \(5000000 characters\): c+… \(5000000 characters\)$/);
    t.regex(stack, /^Error: m+… \(5000000 characters\)\n +at .*thrown-values/);
  });
}
