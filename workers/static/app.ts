/**
 * The built-in application of routes with `static`. A thread that gets options takes its application from
 * `create`, which it calls once, and not from the default export. So the gateway itself needs nothing for
 * options.
 */
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Application } from '../gateway.ts';
import { nodeDisk } from './disk.ts';
import { Files } from './files.ts';
import type { StaticOptions } from './options.ts';
import { ReadTurns } from './read-turns.ts';

/** @throws if the root is no directory, so that the server does not start without it */
export function create(options: StaticOptions): Application {
  const { root } = options;
  if (!statSync(root).isDirectory()) throw new Error(`expected a directory at ${root}, got something else`);
  const files = new Files(options, {
    disk: nodeDisk,
    turns: new ReadTurns(),
    now: Date.now,
    // No file contains 144 random bits by chance, and nobody can put them into one beforehand.
    boundary: () => randomBytes(18).toString('base64url'),
  });
  return (exchange) => files.serve(exchange);
}
