/** Sends what one message cannot carry, then what it just can, and tells with which code it was refused. */
import type { Exchange, FieldsInit, GatewayError, PushedResponse } from '../../../workers/gateway.ts';

/** More than half of any ring that the tests have. */
const TOO_LONG = 'x'.repeat(200_000);
const TOO_LARGE: FieldsInit = { 'x-large': TOO_LONG };

export default async function tooLarge(exchange: Exchange): Promise<void> {
  const { method, path } = exchange.request;
  switch (method === 'CONNECT' ? '/accept' : path) {
    case '/inform': {
      const refusal = await refusalOf(() => exchange.inform(103, TOO_LARGE));
      exchange.inform(103, largest(refusal));
      return exchange.respond(200, {}, refusal.code);
    }
    case '/respond': {
      const refusal = await refusalOf(() => exchange.respond(200, TOO_LARGE));
      return exchange.respond(200, largest(refusal), refusal.code);
    }
    case '/respond-whole': {
      const refusal = await refusalOf(() => exchange.respond(200, TOO_LARGE, 'x'));
      return exchange.respond(200, largest(refusal), refusal.code);
    }
    case '/end': {
      exchange.respond(200);
      const refusal = await refusalOf(() => exchange.end(TOO_LARGE));
      await exchange.write(refusal.code);
      return exchange.end(largest(refusal));
    }
    case '/push-path': {
      const refusal = await refusalOf(() => exchange.push({ path: `/${TOO_LONG}` }));
      // Five bytes for each string and the list of fields, three for each character.
      const longest = Math.floor((bytesOf(refusal) - 5 - 5 - 5) / 3) - 'GET'.length;
      const pushed = await exchange.push({ path: `/${'x'.repeat(longest - 1)}` });
      exchange.respond(200, {}, refusal.code);
      return answer(pushed);
    }
    case '/push-fields': {
      const refusal = await refusalOf(() => exchange.push({ path: '/', fields: TOO_LARGE }));
      const pushed = await exchange.push({ path: '/' });
      exchange.respond(200, {}, refusal.code);
      return answer(pushed);
    }
    case '/accept': {
      const refusal = await refusalOf(() => exchange.accept(TOO_LARGE));
      const tunnel = exchange.accept(largest(refusal));
      await tunnel.write(Buffer.from(refusal.code));
      return tunnel.end();
    }
    case '/trailers': {
      const { size } = await exchange.trailers;
      return exchange.respond(200, {}, String(size));
    }
    default:
      return exchange.respond(200, {}, 'hello');
  }
}

function answer(pushed: PushedResponse | null): void {
  pushed?.respond(200, {}, 'pushed');
}

async function refusalOf(call: () => unknown): Promise<GatewayError> {
  try {
    await call();
  } catch (error) {
    return error as GatewayError;
  }
  throw new Error('expected the call to be refused, it was taken');
}

function bytesOf({ message }: GatewayError): number {
  return Number(/at most (\d+) bytes/.exec(message)?.[1]);
}

/** Fields of one line that take just as much as the refusal says: three bytes for each character, five for each string and the list. */
function largest(refusal: GatewayError): FieldsInit {
  const length = Math.floor((bytesOf(refusal) - 5 - 5 - 5) / 3) - 'x-large'.length;
  return { 'x-large': 'y'.repeat(length) };
}
