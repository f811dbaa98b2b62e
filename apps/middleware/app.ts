/**
 * The gallery: a page, and `/middleware/run/…`, which responds through the stack of middleware named in the
 * request.
 */
import type { Exchange } from '../../workers/gateway.ts';
import { respondPage } from '../site/page.ts';
import { answer, type Resources } from '../site/routing.ts';
import { mount } from './native/mounting.ts';

const RESOURCES: Resources = new Map([['/middleware', { GET: showPage }]]);

/** The packages of the legacy forms take time to load, so they are loaded with the first request. */
let running: Promise<typeof import('./run.ts')> | null = null;

export default mount('/middleware/run', async (exchange) => {
  running ??= import('./run.ts');
  const { runStack } = await running;
  await runStack(exchange);
})((exchange) => answer(exchange, RESOURCES));

export async function stop(): Promise<void> {
  await (await running)?.stopRunning();
}

async function showPage(exchange: Exchange): Promise<void> {
  const { PAGE } = await import('./page.ts');
  respondPage(exchange, 200, PAGE);
}
