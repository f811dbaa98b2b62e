/** The validator between broken applications, broken servers and correct ones. */
import test from 'ava';
import type { Application, Exchange } from '../../workers/gateway.ts';
import { type Violation, validate } from '../../workers/validator/validate.ts';
import { MemoryExchange } from '../apps/memory-exchange.ts';
import { MemoryTunnel } from '../websocket/memory-tunnel.ts';
import { applications, Strict, servers, sound, swallow, tunnelApplications } from './cases.ts';

/** The violations of one exchange, as `side rule`, and the result of the validated application. */
async function violations(application: Application, exchange: Exchange): Promise<string[]> {
  const found: Violation[] = [];
  const validated = validate(application, { onViolation: (violation) => found.push(violation) });
  await Promise.resolve(validated(exchange)).catch(() => undefined);
  return found.map(({ side, rule }) => `${side} ${rule}`);
}

for (const [asked, cases] of [
  ['', applications],
  ['websocket', tunnelApplications],
] as const) {
  for (const [rule, what, application] of cases) {
    test(`rule ${rule}: an application that ${what} is detected`, async (t) => {
      const found = await violations(application, new Strict(asked));
      t.true(found.includes(`application ${rule}`), found.join());
    });
  }
}

for (const [rule, what, make, application = sound] of servers) {
  test(`rule ${rule}: a server that ${what} is detected`, async (t) => {
    const found = await violations(application, make());
    t.true(found.includes(`server ${rule}`), found.join());
  });
}

test('rule 1.2: use after the function is over is detected', async (t) => {
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

test('between two correct sides nothing is reported, and nothing is changed', async (t) => {
  const exchange = new MemoryExchange({ path: '/', body: 'body' });
  t.deepEqual(await violations(sound, exchange), []);
  t.is(exchange.response().text, 'sound');
});

test('a violation fails the exchange even if the application swallows the error', async (t) => {
  const application = validate((exchange) => {
    exchange.respond(200, {}, '');
    swallow(() => exchange.respond(200, {}, ''));
  });
  await t.throwsAsync(async () => application(new MemoryExchange({ path: '/' })), {
    code: 'SLUICE_GATEWAY_VIOLATION',
    message: /the application broke rule 2\.2/,
  });
});

test('rule 9.4: a server that calls a tunnel’s return handler twice is detected', async (t) => {
  const tunnel = new MemoryTunnel(() => undefined);
  const exchange = Object.defineProperty(new Strict('websocket'), 'accept', { value: () => tunnel });
  const found: string[] = [];
  const application = validate(
    (exchange) => {
      const accepted = exchange.accept();
      accepted.atReturn(async () => accepted.end());
    },
    { onViolation: ({ side, rule }) => found.push(`${side} ${rule}`) },
  );
  await application(exchange);
  await tunnel.returned(false);
  t.deepEqual(found, [], 'the handler may use the tunnel, though the function is over');
  await tunnel.returned(false).catch(() => undefined);
  t.is(found[0], 'server 9.4');
});

test('a violation found after the function is over is a process warning, once for each rule', async (t) => {
  const warned: Error[] = [];
  const listen = (warning: Error) => warned.push(warning);
  process.on('warning', listen);
  t.teardown(() => process.off('warning', listen));
  const kept: Exchange[] = [];
  const application = validate((exchange) => {
    kept.push(exchange);
    exchange.respond(200, {}, '');
  });
  for (let n = 0; n < 2; n++) await application(new MemoryExchange({ path: '/' }));
  for (const exchange of kept) t.throws(() => exchange.reset());
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(
    warned.filter(({ name }) => name === 'Violation').map((violation) => (violation as Violation).rule),
    ['1.2'],
  );
});
