import type { Exchange } from '../../../../workers/gateway.ts';
import { SIGNALS_FIELD } from '../../../server/signals.ts';
import { Watch } from './watch.ts';

export default async function application(exchange: Exchange): Promise<void> {
  const { fields } = exchange.request;
  const watch = new Watch(fields.get('x-user'));
  exchange.signal.addEventListener('abort', () => watch.see('abort'));
  void exchange.closed.then(() => {
    watch.see('closed');
    watch.tell(fields.get(SIGNALS_FIELD) as string);
  });
  void exchange.trailers.then(() => watch.see('trailers'));
  exchange.respond(200, {});
  for await (const chunk of exchange.body) {
    watch.see('data');
    exchange.write(chunk).then(
      () => watch.see('written'),
      () => watch.see('unwritten'),
    );
  }
  watch.see('end');
  exchange.end();
}
