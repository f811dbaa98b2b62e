/** The validator between broken applications, broken servers and sound ones. */
import test from 'ava';
import type { Application, Exchange } from '../../workers/gateway.ts';
import { WrappedExchange } from '../../workers/middleware/compose.ts';
import { type Violation, validate } from '../../workers/validator/validate.ts';
import { MemoryExchange } from '../apps/memory-exchange.ts';

/** The violations of one exchange, as `side rule`, and what the validated application gave. */
async function violations(application: Application, exchange: Exchange): Promise<string[]> {
  const found: Violation[] = [];
  const validated = validate(application, { onViolation: (violation) => found.push(violation) });
  await Promise.resolve(validated(exchange)).catch(() => undefined);
  return found.map(({ side, rule }) => `${side} ${rule}`);
}

const ignore = () => undefined;
/** As an application that has no idea of what it does. */
const swallow = (call: () => unknown): void => {
  try {
    Promise.resolve(call()).catch(ignore);
  } catch {
    // What it is told it does not hear.
  }
};

const broken: readonly [rule: string, what: string, application: Application][] = [
  ['1.3', 'returns without a response', ignore],
  ['1.3', 'returns without an end', (exchange) => exchange.respond(200)],
  [
    '2.1',
    'informs behind the head',
    (exchange) => {
      exchange.respond(200, {}, '');
      swallow(() => exchange.inform(103));
    },
  ],
  [
    '2.2',
    'responds twice',
    (exchange) => {
      exchange.respond(200, {}, '');
      swallow(() => exchange.respond(200, {}, ''));
    },
  ],
  [
    '2.3',
    'ends before a head',
    (exchange) => {
      swallow(() => exchange.end());
      exchange.respond(200, {}, '');
    },
  ],
  [
    '2.3',
    'writes behind the end',
    async (exchange) => {
      exchange.respond(200, {}, '');
      await exchange.write('x').catch(ignore);
    },
  ],
  [
    '2.4',
    'pushes behind the end',
    async (exchange) => {
      exchange.respond(200, {}, '');
      await exchange.push({ path: '/a' }).catch(ignore);
    },
  ],
  [
    '4.3',
    'reads the body twice',
    async (exchange) => {
      await exchange.body.text();
      await exchange.body.text().catch(ignore);
      exchange.respond(200, {}, '');
    },
  ],
  [
    '5.3',
    'ends short of its content-length',
    (exchange) => {
      exchange.respond(200, { 'content-length': 5 });
      swallow(() => exchange.end());
    },
  ],
  [
    '5.3',
    'writes beyond its content-length',
    async (exchange) => {
      exchange.respond(200, { 'content-length': 1 });
      await exchange.write('xyz').catch(ignore);
    },
  ],
  [
    '5.5',
    'changes bytes that it has given away',
    async (exchange) => {
      const piece = new Uint8Array([1, 2, 3]);
      exchange.respond(200);
      const written = exchange.write(piece);
      piece[0] = 9;
      await written.catch(ignore);
      exchange.end();
    },
  ],
  [
    '5.7',
    'puts a content-type into trailers',
    (exchange) => {
      exchange.respond(200);
      swallow(() => exchange.end({ 'content-type': 'text/plain' }));
    },
  ],
  [
    '6.3',
    'sends two locations',
    (exchange) => {
      swallow(() => exchange.respond(302, { location: ['/a', '/b'] }, ''));
      exchange.respond(200, {}, '');
    },
  ],
  [
    '6.5',
    'sends a line break in a field',
    (exchange) => {
      swallow(() => exchange.respond(200, { 'x-a': 'a\r\nb: c' }, ''));
      exchange.respond(200, {}, '');
    },
  ],
  [
    '9.2',
    'accepts a tunnel that nobody asked for',
    (exchange) => {
      swallow(() => exchange.accept());
      exchange.respond(200, {}, '');
    },
  ],
];

for (const [rule, what, application] of broken) {
  test(`rule ${rule}: an application that ${what} is found out`, async (t) => {
    const found = await violations(application, new MemoryExchange({ path: '/', body: 'body' }));
    t.true(found.includes(`application ${rule}`), found.join());
  });
}

class Broken extends WrappedExchange {}
const sound: Application = async (exchange) => {
  for await (const _piece of exchange.body) exchange.capabilities.push;
  await exchange.trailers;
  exchange.respond(200, {}, 'sound');
};
const changed = (request: object): Exchange => {
  const inner = new MemoryExchange({ path: '/', body: 'body' });
  return Object.defineProperty(new Broken(inner), 'request', { value: { ...inner.request, ...request } });
};
const servers: readonly [rule: string, what: string, make: () => Exchange][] = [
  ['3.1', 'has no path', () => changed({ path: 'nowhere' })],
  ['3.1', 'has another version', () => changed({ version: '3' })],
  [
    '3.2',
    'hands Host over',
    () => changed({ fields: new MemoryExchange({ path: '/', fields: { host: 'a' } }).request.fields }),
  ],
  ['3.4', 'has an urgency of 9', () => changed({ priority: { urgency: 9, incremental: false } })],
  ['4.2', 'gives empty pieces', () => new MemoryExchange({ path: '/', body: [new Uint8Array(0)] })],
  [
    '4.6',
    'lets content-type into trailers',
    () => new MemoryExchange({ path: '/', trailers: { 'content-type': 'a/b' } }),
  ],
  [
    '9.1',
    'offers a tunnel without being asked',
    () => {
      const inner = new MemoryExchange({ path: '/' });
      return Object.defineProperty(new Broken(inner), 'capabilities', {
        value: { ...inner.capabilities, tunnel: true },
      });
    },
  ],
  [
    '10.1',
    'changes its mind about capabilities',
    () => {
      const inner = new MemoryExchange({ path: '/', body: 'body' });
      let asked = 0;
      return Object.defineProperty(new Broken(inner), 'capabilities', {
        get: () => ({ ...inner.capabilities, push: ++asked > 2 }),
      });
    },
  ],
  [
    '10.2',
    'withholds what is there',
    () =>
      Object.defineProperty(new Broken(new MemoryExchange({ path: '/' })), 'withheld', {
        value: [{ feature: 'reset', why: 'it says so' }],
      }),
  ],
];

for (const [rule, what, make] of servers) {
  test(`rule ${rule}: a server that ${what} is found out`, async (t) => {
    const found = await violations(sound, make());
    t.true(found.includes(`server ${rule}`), found.join());
  });
}

test('rule 1.2: what is used after the function is over is found out', async (t) => {
  let kept: Exchange | undefined;
  const found: string[] = [];
  const application = validate(
    (exchange) => {
      kept = exchange;
      exchange.respond(200, {}, '');
    },
    { onViolation: ({ side, rule }) => found.push(`${side} ${rule}`) },
  );
  await application(new MemoryExchange({ path: '/' }));
  t.deepEqual(found, []);
  t.throws(() => kept?.reset(), { code: 'SLUICE_GATEWAY_VIOLATION', message: /rule 1\.2/ });
});

test('between two sound sides nothing is found, and nothing is changed', async (t) => {
  const exchange = new MemoryExchange({ path: '/', body: 'body' });
  t.deepEqual(await violations(sound, exchange), []);
  t.is(exchange.response().text, 'sound');
});

test('a violation fails the exchange even when the application does not hear it', async (t) => {
  const application = validate((exchange) => {
    exchange.respond(200, {}, '');
    swallow(() => exchange.respond(200, {}, ''));
  });
  await t.throwsAsync(async () => application(new MemoryExchange({ path: '/' })), {
    code: 'SLUICE_GATEWAY_VIOLATION',
    message: /the application broke rule 2\.2/,
  });
});
