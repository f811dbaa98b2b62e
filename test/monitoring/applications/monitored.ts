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

const deaths: Readonly<Record<string, () => void>> = {
  '/die/uncaught': () => {
    setImmediate(() => {
      throw new Error('as it was asked');
    });
  },
  '/die/exit': () => process.exit(7),
  '/die/memory': () => {
    for (const kept: unknown[] = []; ; ) kept.push(new Array(100_000).fill(kept.length));
  },
  '/die/hung': () => {
    for (;;);
  },
};

export default async (exchange: Exchange): Promise<void> => {
  const { path } = exchange.request;
  // Longer than the second between two timers, and what they were late by before.
  if (path === '/compute') for (const end = performance.now() + 2_100; performance.now() < end; );
  if (path in deaths) {
    deaths[path]?.();
    await new Promise(() => {});
  }
  if (path === '/throw') throw new Error('as it was asked');
  await exchange.respond(path === '/missing' ? 404 : 200, {}, 'answer');
};
