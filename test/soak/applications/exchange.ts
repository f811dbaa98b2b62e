import type { Exchange } from '../../../workers/gateway.ts';
import { content } from '../content.ts';
import { note } from '../journal.ts';

export default async function application(exchange: Exchange): Promise<void> {
  const [, , what = '', id = '', size = '0'] = exchange.request.path.split('/');
  note(id);
  switch (what) {
    case 'small':
      return exchange.respond(200, { 'x-id': id }, content(id, Number(size)));
    case 'large': {
      const whole = content(id, Number(size));
      exchange.respond(200, { 'x-id': id });
      for (let at = 0; at < whole.length; at += 65_536) await exchange.write(whole.subarray(at, at + 65_536));
      return exchange.end();
    }
    case 'echo': {
      exchange.respond(200, { 'x-id': id });
      for await (const piece of exchange.body) await exchange.write(piece);
      return exchange.end();
    }
    case 'compute': {
      const until = performance.now() + 20;
      while (performance.now() < until);
      return exchange.respond(200, { 'x-id': id }, content(id, Number(size)));
    }
    case 'exit':
      process.exit(1);
      break;
    case 'throw':
      setImmediate(() => {
        throw null;
      });
      return new Promise(() => undefined);
    default:
      return exchange.respond(404, {}, what);
  }
}
