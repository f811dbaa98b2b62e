/** What a Fetch handler may rely on, whichever framework it is mounted in and whichever version the peer speaks. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FileScope, startServer, type TestServer } from '../../server/harness.ts';
import { isCut, listen, ways } from '../ways.ts';
import { repeated } from './applications/raw.ts';

const FRAMEWORKS = ['plain', 'hono', 'h3'] as const;

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

    test(title('a body streams in and out'), async (t) => {
      const body = 'streaming '.repeat(40_000);
      const headers = { 'content-type': 'text/x-test' };
      const answer = await over(server).ask(t, at('/echo'), { method: 'POST', body, headers });
      t.deepEqual([answer.how, answer.headers['x-type']], ['whole', 'text/x-test']);
      t.true(answer.body === body);
      t.is((await over(server).ask(t, at('/echo'))).body, '');
    });

    test(title('a body is read as JSON, as a form, and as two of itself'), async (t) => {
      const way = over(server);
      const json = await way.ask(t, at('/json'), { method: 'PUT', body: '{"a":[1]}' });
      t.deepEqual([json.status, json.body], [201, '{"got":{"a":[1]}}']);
      t.is(json.headers['content-type'], 'application/json');
      const part = (name: string, text: string): string =>
        `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`;
      const form = await way.ask(t, at('/form'), {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=b' },
        body: `${part('name', 'ann')}${part('file"; filename="a.txt', 'content')}--b--\r\n`,
      });
      t.is(form.body, '{"name":"ann","file":["a.txt","content"]}');
      const fields = await way.ask(t, at('/form'), {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'name=b%20c',
      });
      t.is(fields.body, '{"name":"b c","file":null}');
      const body = 'twice '.repeat(20_000);
      t.is((await way.ask(t, at('/clone'), { method: 'POST', body })).body, '120000 120000 true');
      t.is((await way.ask(t, at('/twice'), { method: 'POST', body: 'once' })).body, 'TypeError');
    });

    test(title('the request says what was asked'), async (t) => {
      const headers = { 'x-many': ['1', '2'], cookie: 'a=1; b=2' };
      const answer = await over(server).ask(t, at('/facts?a=%20b'), { method: 'DELETE', headers });
      t.deepEqual(JSON.parse(answer.body), {
        method: 'DELETE',
        url: `http://127.0.0.1:${server.port}${at('/facts?a=%20b')}`,
        many: '1, 2',
        cookie: 'a=1; b=2',
        connection: [],
        bodyUsed: false,
        aborted: false,
        body: true,
      });
    });

    test(title('requests and responses are those of the platform'), async (t) => {
      const answer = await over(server).ask(t, at('/globals'), { method: 'POST', body: 'again' });
      t.deepEqual(JSON.parse(answer.body), [true, true, true, true, true, 'again']);
    });

    test(title('fields leave as they were set, cookies apart; a redirection is one'), async (t) => {
      const way = over(server);
      const { headers } = await way.ask(t, at('/cookies'));
      t.deepEqual(headers['set-cookie'], ['a=1', 'b=2; Path=/']);
      t.is(headers['x-one'], '1');
      const redirection = await way.ask(t, at('/redirect'));
      t.deepEqual(
        [redirection.status, redirection.headers.location],
        [307, `http://127.0.0.1:${server.port}/elsewhere`],
      );
    });

    test(title('a field that is given twice leaves as the platform joins it'), async (t) => {
      for (const how of ['spelled', 'listed', 'cookies', 'iterated']) {
        const seen = await over(server).ask(t, at('/repeated'), { headers: { 'x-how': how } });
        t.deepEqual([how, seen.status, seen.body], [how, 200, 'x']);
        const joined = new Headers(repeated(how));
        const cookies = joined.getSetCookie();
        joined.delete('set-cookie');
        for (const [name, value] of joined) t.is(seen.headers[name], value, `${how}: ${name}`);
        t.deepEqual(seen.headers['set-cookie'], cookies.length > 0 ? cookies : undefined);
      }
    });

    test(title('HEAD, 204 and 304 have no body'), async (t) => {
      const head = await over(server).ask(t, at('/length'), { method: 'HEAD' });
      t.deepEqual([head.status, head.body, head.headers['content-length']], [200, '', '5']);
      const endless = await over(server).ask(t, at('/pull'), { method: 'HEAD' });
      t.deepEqual([endless.status, endless.body], [200, '']);
      for (const status of [204, 304]) {
        const answer = await over(server).ask(t, at(`/empty/${status}`));
        t.deepEqual([answer.status, answer.body, answer.how], [status, '', 'whole']);
      }
    });

    test(title('a response made in pieces arrives whole'), async (t) => {
      t.like(await over(server).ask(t, at('/pieces')), { status: 200, body: 'one two three', how: 'whole' });
    });

    test.serial(title('a response is made as fast as the peer reads it'), async (t) => {
      const read = await over(server).slowly(t, at('/pull'), {});
      let seen = -1;
      // Until it stands still for many round trips on other connections.
      for (let quiet = 0; quiet < 20; ) {
        const { body } = await over(server).ask(t, at('/pulls'));
        quiet = Number(body) === seen ? quiet + 1 : 0;
        seen = Number(body);
      }
      t.true(seen < 512, `${seen} of 1024 pieces were made for a peer that reads nothing`);
      t.is(await read(), 67_108_864);
    });

    test(
      title('a peer that goes away aborts the signal, and cancels a response that is being made'),
      async (t) => {
        const { signals, headers } = listen(t);
        const waiting = signals.until('waiting');
        const aborted = signals.until('aborted AbortError');
        const cut = await over(server).upload(t, at('/aborted'), headers);
        await waiting;
        cut();
        await aborted;
        const pulled = signals.until('pulled');
        const cancelled = signals.until('cancelled');
        const leave = await over(server).upload(t, at('/cancelled'), headers);
        await pulled;
        leave();
        await cancelled;
        t.pass();
      },
    );

    test(title('what is thrown is 500 before the head, and cuts the response off behind it'), async (t) => {
      t.is((await over(server).ask(t, at('/throw'))).status, 500);
      t.true(await isCut(over(server).ask(t, at('/throw-late'))));
    });
  }
}
