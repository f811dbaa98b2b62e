/** Calls the exchange where the stack ends: with less room than the call needs, then a little more, until it is taken or refused. */
import type { Exchange } from '../../../workers/gateway.ts';

export default async function deep(exchange: Exchange): Promise<void> {
  const { pathname, searchParams } = new URL(exchange.request.path, 'http://test.invalid');
  // Frames of other sizes leave other remainders of the stack.
  const padding = Array.from({ length: Number(searchParams.get('padding')) }, () => 0);
  const body = 'x'.repeat(Number(searchParams.get('length')));
  switch (pathname) {
    case '/respond':
      return atTheEnd(() => exchange.respond(200, { 'x-a': '1' }, body), ...padding);
    case '/inform':
      atTheEnd(() => exchange.inform(103, { link: '<a>' }), ...padding);
      return exchange.respond(200, {}, body);
    case '/write':
      exchange.respond(200);
      await atTheEnd(
        () => {
          // Node prints each promise that is rejected where the stack ends.
          exchange.signal.throwIfAborted();
          return exchange.write(body);
        },
        ...padding,
      );
      return exchange.end();
    case '/end':
      exchange.respond(200);
      await exchange.write(body);
      return atTheEnd(() => exchange.end({ 'x-sum': '1' }), ...padding);
    case '/swallow':
      try {
        atTheEnd(() => exchange.respond(200, { 'x-a': '1' }, body), ...padding);
      } catch {
        // As an application that goes on as if nothing were.
      }
      return;
    default:
      return exchange.respond(200, {}, 'hello');
  }
}

function atTheEnd<T>(call: () => T, ...padding: number[]): T {
  try {
    return atTheEnd(call, ...padding);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return call();
  }
}
