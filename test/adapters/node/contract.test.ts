/** What a Node handler may rely on, whichever framework it is mounted in and whichever version the peer speaks. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { isCut, listen, ways } from '../ways.ts';

const FRAMEWORKS = ['plain', 'connect', 'express', 'koa', 'fastify'] as const;

const scope = new FileScope();
let server: TestServer;

test.before(async () => {
  const application = (name: string): string =>
    fileURLToPath(new URL(`applications/${name}.ts`, import.meta.url));
  server = await startServer(scope, {
    pools: Object.fromEntries(
      FRAMEWORKS.map((name) => [name, { application: application(name), threads: { min: 1, max: 1 } }]),
    ),
  });
});
test.after.always(() => scope.end());

for (const framework of FRAMEWORKS) {
  for (const [version, over] of Object.entries(ways)) {
    const title = (what: string): string => `${framework}, HTTP/${version}: ${what}`;
    const at = (step: string): string => `/${framework}${step}`;

    test(title('a body and its trailers come back'), async (t) => {
      const body = 'streaming '.repeat(40_000);
      const trailers = { 'x-last': 'yes' };
      const answer = await over(server).ask(t, at('/echo'), { method: 'POST', body, trailers });
      t.is(answer.how, 'whole');
      t.true(answer.body === body);
      t.is(answer.trailers['x-last'], 'yes');
    });

    test(title('interim responses go before the final one'), async (t) => {
      const answer = await over(server).ask(t, at('/interim'));
      t.deepEqual([answer.interim, answer.status, answer.body], [[102, 103], 200, 'final']);
    });

    test(title('HEAD, 204 and 304 have no body'), async (t) => {
      const head = await over(server).ask(t, at('/length'), { method: 'HEAD' });
      t.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', '5']);
      for (const status of [204, 304]) {
        const answer = await over(server).ask(t, at(`/empty/${status}`));
        t.deepEqual([answer.status, answer.body, answer.how], [status, '', 'whole']);
      }
    });

    test(title('the request and its socket say what is known of the peer'), async (t) => {
      const answer = await over(server).ask(t, at('/facts?a=%20b'), { headers: { 'x-many': ['1', '2'] } });
      t.deepEqual(JSON.parse(answer.body), {
        method: 'GET',
        url: at('/facts?a=%20b'),
        httpVersion: version,
        host: `127.0.0.1:${server.port}`,
        many: '1, 2',
        complete: true,
        remoteAddress: '127.0.0.1',
        remoteFamily: 'IPv4',
        rawPort: 'number',
      });
      t.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2']);
    });

    test(title('write() refuses while the peer reads nothing, and drain follows when it does'), async (t) => {
      const { signals, headers } = listen(t);
      const full = signals.until('full');
      const drained = signals.until('drain');
      const read = await over(server).slowly(t, at('/drain'), headers);
      await full;
      t.is(await read(), 1_048_576);
      await drained;
      t.pass();
    });

    test(title('2 MiB in crumbs arrive though no write was waited for'), async (t) => {
      const answer = await over(server).ask(t, at('/crumbs'));
      t.deepEqual([answer.how, answer.body.length], ['whole', 2_097_152]);
    });

    test(title('what is thrown before the head is answered with 500'), async (t) => {
      const answer = await over(server).ask(t, at('/throw'));
      t.is(answer.status, 500);
    });

    test(title('res.destroy() cuts off a response that has begun'), async (t) => {
      t.true(await isCut(over(server).ask(t, at('/destroy-response'))));
    });

    test(title('req.destroy() cuts off the exchange'), async (t) => {
      t.true(await isCut(over(server).ask(t, at('/destroy-request'))));
    });

    test(title('a peer that resets its upload is told as Node tells it'), async (t) => {
      const { signals, headers } = listen(t);
      const words = ['req aborted', 'req error ECONNRESET', 'req close', 'res close false'];
      const begun = signals.until('begun');
      const told = words.map((word) => signals.until(word));
      const cut = await over(server).upload(t, at('/upload'), headers);
      await begun;
      cut();
      await Promise.all(told);
      t.deepEqual(
        words.map((word) => signals.heard(word)),
        words.map(() => 1),
      );
    });

    test(title('finish and close are told of a whole response'), async (t) => {
      const { signals, headers } = listen(t);
      const told = [signals.until('finish'), signals.until('close')];
      t.is((await over(server).ask(t, at('/finish'), { headers })).body, 'done');
      await Promise.all(told);
    });

    if (framework === 'plain' || framework === 'koa') continue;
    test(title('an error passed on is answered by the framework'), async (t) => {
      const answer = await over(server).ask(t, at('/next'));
      t.deepEqual([answer.status, answer.how], [500, 'whole']);
    });
  }
}

for (const [version, over] of Object.entries(ways)) {
  test(`what is thrown behind the head cuts the response off over HTTP/${version}`, async (t) => {
    t.true(await isCut(over(server).ask(t, '/plain/throw-late')));
  });
}
