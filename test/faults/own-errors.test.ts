/**
 * Errors of the server itself, which no input is known to cause: put into the code under test by hand. They cost the
 * connection that meets them, not the process and nobody else.
 */
import test from 'ava';
import { Exchange } from '../../runtime/exchange.ts';
import { application, FileScope, startServer, type TestServer } from '../server/harness.ts';
import { requestHttp1 } from '../server/http1-client.ts';
import { connectHttp2, request } from '../server/http2-client.ts';
import { headers, RawHttp2, requestHead } from '../server/raw-http2.ts';

const scope = new FileScope();
let server: TestServer;

/** Methods of an exchange that fail for requests that ask for it, each by its name in `x-fault`. */
const faulty = ['start', 'onHead', 'onReleased', 'onTransportClosed'] as const;

function asksFor(exchange: Exchange, method: string): boolean {
  return exchange.fields.some(
    (text, i) => i % 2 === 0 && text === 'x-fault' && exchange.fields[i + 1] === method,
  );
}

test.before(async () => {
  server = await startServer(scope, {
    pools: { messages: { application: application('server', 'messages'), threads: { max: 1 } } },
  });
  for (const method of faulty) {
    const original: (this: Exchange, ...values: never[]) => void = Exchange.prototype[method];
    Object.defineProperty(Exchange.prototype, method, {
      value(this: Exchange, ...values: never[]): void {
        if (asksFor(this, method)) throw new Error(`fault in ${method}`);
        original.apply(this, values);
      },
    });
  }
});
test.after.always(() => scope.end());

for (const method of faulty) {
  test.serial(
    `an error of ours ends the HTTP/2 connection that meets it and no other: ${method}`,
    async (t) => {
      const bystander = await connectHttp2(t, server.origin);
      t.is((await request(bystander, { ':path': '/hello' })).status, 200);
      const client = await RawHttp2.connect(t, server.port);
      client.send(headers(1, requestHead('GET', '/hello', { 'x-fault': method }), true));
      await client.closed;
      t.truthy(await server.log.until('error of the server itself'));
      t.is((await request(bystander, { ':path': '/hello' })).status, 200);
      t.is((await request(await connectHttp2(t, server.origin), { ':path': '/hello' })).status, 200);
    },
  );
}

for (const method of ['start', 'onHead'] as const) {
  test.serial(
    `an error of ours ends the HTTP/1.1 connection that meets it and no other: ${method}`,
    async (t) => {
      await t.throwsAsync(requestHttp1(`${server.origin}/hello`, { headers: { 'x-fault': method } }));
      t.is((await requestHttp1(`${server.origin}/hello`)).status, 200);
    },
  );
}
