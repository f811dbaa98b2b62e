/** What a dashboard is to show: work, waiting, and a death. */
import type { Exchange } from '../../../workers/gateway.ts';

export default async function loaded(exchange: Exchange): Promise<void> {
  const { path } = exchange.request;
  if (path === '/work') for (const end = performance.now() + 2; performance.now() < end; );
  if (path === '/read') await exchange.body.text(1024);
  if (path === '/die') {
    setImmediate(() => {
      throw new Error('as the test wants it');
    });
    return;
  }
  exchange.respond(200, { 'content-type': 'text/plain' }, 'done');
}
