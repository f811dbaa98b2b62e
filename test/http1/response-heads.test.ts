/** Heads that are kept as bytes: earlier responses never change the head of a response. */
import test from 'ava';
import fc from 'fast-check';
import { Http1Caches } from '../../runtime/http1/caches.ts';
import { DATE, Driver } from './driver.ts';

const lists = [
  ['content-type', 'text/plain'],
  ['content-type', 'text/plain', 'content-length', '5'],
  ['content-type', 'text/plain', 'date', 'Fri, 02 Jan 1970 00:00:00 GMT'],
  ['x-name', 'h\u00e9', 'trailer', 'x-sum'],
  ['\u0001set-cookie', 'a=1'],
  ['x-long', 'a'.repeat(3_000)],
  [],
].map((list) => Object.freeze(list));

const responses = fc.array(
  fc.record({
    list: fc.constantFrom(...lists),
    isFrozen: fc.boolean(),
    status: fc.constantFrom(200, 204, 304, 404),
    method: fc.constantFrom('GET', 'HEAD', 'POST'),
    version: fc.constantFrom('1.1', '1.0'),
    persists: fc.boolean(),
    // A reload may change it while connections with the earlier value are open.
    keepAliveTimeoutMs: fc.constantFrom(5_000, 60_000),
    isWhole: fc.boolean(),
    added: fc.constantFrom(
      [],
      ['x-request-id', 'abc'],
      ['x-request-id', 'abc', 'server-timing', 'app;dur=1'],
    ),
    date: fc.constantFrom(DATE, 'Thu, 01 Jan 1970 00:00:01 GMT'),
  }),
  { minLength: 1, maxLength: 30 },
);

test('a head is the same whether other heads are cached or not', (t) => {
  fc.assert(
    fc.property(responses, (all) => {
      const shared = new Http1Caches();
      for (const response of all) {
        const { list, isFrozen, status, method, version, persists, isWhole, date, added } = response;
        const { keepAliveTimeoutMs } = response;
        const answers = [shared, new Http1Caches()].map((caches) => {
          const driver = new Driver({ keepAliveTimeoutMs }, caches);
          driver.dateText = date;
          const connection = persists ? 'keep-alive' : 'close';
          driver.receive(
            `${method} / HTTP/${version}\r\nHost: a\r\nConnection: ${connection}\r\nContent-Length: 0\r\n\r\n`,
          );
          const [message] = driver.messages;
          driver.engine.respond(message!, status, isFrozen ? list : [...list], false, added);
          driver.write(message!, 'hello', isWhole);
          if (!isWhole) driver.write(message!, '', true);
          return [driver.output(), driver.engine.state, driver.events.join('\n')];
        });
        t.deepEqual(answers[0], answers[1]);
      }
    }),
    { numRuns: 300 },
  );
});

test('fields that are added to a head stand in it, kept or not, and in no other', (t) => {
  const caches = new Http1Caches();
  const list = Object.freeze(['x-count', '1']);
  const heads = [['x-request-id', 'one'], [], ['x-request-id', 'two', 'server-timing', 'app;dur=1']].map(
    (added) => {
      const driver = new Driver({}, caches);
      driver.receive('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      driver.engine.respond(driver.messages[0]!, 204, list, true, added);
      return driver.output();
    },
  );
  const head = `HTTP/1.1 204 No Content\r\nx-count: 1\r\ndate: ${DATE}\r\nconnection: close\r\n`;
  t.deepEqual(heads, [
    `${head}x-request-id: one\r\n\r\n`,
    `${head}\r\n`,
    `${head}x-request-id: two\r\nserver-timing: app;dur=1\r\n\r\n`,
  ]);
});

test('a head announces the keep-alive timeout of its own connection, which a reload changes for later ones', (t) => {
  const caches = new Http1Caches();
  const list = Object.freeze(['x-count', '1']);
  const heads = [5_000, 60_000, 5_000].map((keepAliveTimeoutMs) => {
    const driver = new Driver({ keepAliveTimeoutMs }, caches);
    driver.receive('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    driver.answer(driver.messages[0]!, 'hello', list);
    return /^keep-alive: (.*)\r$/m.exec(driver.output())?.[1];
  });
  t.deepEqual(heads, ['timeout=5', 'timeout=60', 'timeout=5']);
});

test('a list that is not frozen may change from one response to the next', (t) => {
  const caches = new Http1Caches();
  const list = ['x-count', '1'];
  for (const count of ['1', '2']) {
    list[1] = count;
    const driver = new Driver({}, caches);
    driver.receive('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    driver.answer(driver.messages[0]!, 'hello', list);
    t.true(driver.output().includes(`x-count: ${count}\r\n`));
  }
});
