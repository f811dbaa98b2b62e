import { fileSending, rawTunnel, timing, tlsFacts } from '../../../workers/extensions.ts';
import type { Exchange, FieldsInit } from '../../../workers/gateway.ts';
import { FieldList, WrappedExchange } from '../../../workers/middleware/compose.ts';

class ChangesHead extends WrappedExchange {
  override respond(status: number, fields?: FieldsInit, body?: Uint8Array | string): void {
    super.respond(status, new FieldList(fields).set('x-layer', 'yes'), body);
  }
}
class ChangesRequest extends WrappedExchange {
  override get request() {
    return this.inner.request;
  }
}

const offered = (exchange: Exchange) =>
  Object.entries({ timing, tlsFacts, rawTunnel, fileSending })
    .filter(([, key]) => exchange.extension<unknown>(key) !== null)
    .map(([name]) => name);

export default async function offers(exchange: Exchange): Promise<void> {
  const url = new URL(exchange.request.path, 'http://test.invalid');
  switch (url.pathname) {
    case '/file':
      await exchange.extension(fileSending)?.send(url.searchParams.get('path') ?? '', { 'x-own': 'yes' });
      return;
    case '/missing':
      await exchange
        .extension(fileSending)
        ?.send('/nowhere/at/all')
        .catch((error: { code: string }) => exchange.respond(404, {}, error.code));
      return;
    case '/timing':
      exchange.respond(200, {}, JSON.stringify(exchange.extension(timing)));
      return;
    case '/below-head':
      exchange.respond(200, {}, offered(new ChangesHead(exchange)).join());
      return;
    case '/below-request':
      exchange.respond(200, {}, offered(new ChangesRequest(exchange)).join());
      return;
    case '/padded':
      exchange.pad(64);
      exchange.respond(200, { 'x-token': { value: 'secret', indexing: 'never' } });
      await exchange.write('0123456789');
      exchange.end({ 'x-sum': { value: 'abc', indexing: 'prefer' } });
      return;
    case '/pushes': {
      exchange.respond(200);
      let pushed = 0;
      for (let i = 0; i < 1000; i++) {
        const response = await exchange.push({ path: `/pushed/${i}` });
        response?.respond(200, {}, String(i));
        if (response !== null) pushed++;
        await response?.closed;
      }
      await exchange.write(String(pushed));
      exchange.end();
      return;
    }
    default:
      exchange.respond(200, {}, offered(exchange).join());
  }
}
