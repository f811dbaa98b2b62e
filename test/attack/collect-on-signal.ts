/**
 * Loaded into a server before anything else. On SIGUSR2 its main thread collects its garbage and logs what it still
 * holds; the application's threads are asked by a request.
 */
import { isMainThread } from 'node:worker_threads';
import { collectedBytes } from './collect.ts';

let count = 0;
if (isMainThread) {
  process.on('SIGUSR2', () => {
    const line = { level: 'info', msg: `collected ${++count}`, heldBytes: collectedBytes() };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  });
}
