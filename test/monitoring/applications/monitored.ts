/** Answers by its path. Where a gate is named, it has loaded when somebody says so over a channel of that name. */
import { BroadcastChannel } from 'node:worker_threads';
import type { Exchange } from '../../../workers/gateway.ts';

const gate = process.env.SLUICE_TEST_GATE;
if (gate !== undefined) {
  const channel = new BroadcastChannel(gate);
  const opened = new Promise<void>((resolve) => {
    channel.onmessage = () => resolve();
  });
  channel.postMessage('loading');
  await opened;
  channel.close();
}

export default (exchange: Exchange): void => {
  const { path } = exchange.request;
  // Longer than the second between two timers, and what they were late by before.
  if (path === '/compute') for (const end = performance.now() + 2_100; performance.now() < end; );
  if (path === '/throw') throw new Error('as it was asked');
  exchange.respond(path === '/missing' ? 404 : 200, {}, 'answer');
};
