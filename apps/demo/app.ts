/**
 * The work of the front page's demonstration. Two pools run this module: one with a single thread, like the
 * one event loop of a Node process, and one with a thread for each core.
 */
import { pbkdf2Sync } from 'node:crypto';
import { threadId } from 'node:worker_threads';
import { timing } from '../../workers/extensions.ts';
import type { Exchange } from '../../workers/gateway.ts';
import { answer, type Resources } from '../site/routing.ts';

/**
 * About 10 ms on a core of 2025. The amount of work is fixed and not the time, so that the effect of threads
 * that share a core is visible.
 */
const ITERATIONS = 60_000;

const FIELDS = Object.freeze({ 'content-type': 'application/json', 'cache-control': 'no-store' });

const RESOURCES: Resources = new Map([
  ['/demo/loop/work', { GET: work }],
  ['/demo/loop/ping', { GET: ping }],
  ['/demo/pool/work', { GET: work }],
]);

export default function demo(exchange: Exchange): Promise<void> {
  return answer(exchange, RESOURCES);
}

/** Computes, and responds with the thread, and with start and end in milliseconds of Unix time. */
function work(exchange: Exchange): void {
  const startedAtMs = performance.timeOrigin + performance.now();
  pbkdf2Sync('correct horse', 'battery staple', ITERATIONS, 32, 'sha256');
  const endedAtMs = performance.timeOrigin + performance.now();
  const waitedMs = exchange.extension(timing)?.queuedMs ?? 0;
  exchange.respond(
    200,
    FIELDS,
    `${JSON.stringify({ thread: threadId, waitedMs, startedAtMs, endedAtMs })}\n`,
  );
}

/** A light request. */
export function ping(exchange: Exchange): void {
  exchange.respond(200, FIELDS, `${JSON.stringify({ thread: threadId })}\n`);
}
