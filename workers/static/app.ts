/**
 * The built-in application of routes with `static`. A thread that is booted with options takes its application from
 * `create`, once, instead of from the default export; so the gateway itself has nothing in it for options.
 */
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Application } from '../gateway.ts';
import { nodeDisk } from './disk.ts';
import { Files } from './files.ts';
import type { StaticOptions } from './options.ts';
import { ReadTurns } from './read-turns.ts';

/** @throws when the root is no directory, so that the server does not start without it */
export function create(options: StaticOptions): Application {
  const { root } = options;
  if (!statSync(root).isDirectory()) throw new Error(`expected a directory at ${root}, it is none`);
  const files = new Files(options, {
    disk: nodeDisk,
    turns: new ReadTurns(),
    now: Date.now,
    // 144 bits at random occur in no file by chance, and nobody can put them into one beforehand.
    boundary: () => randomBytes(18).toString('base64url'),
  });
  return (exchange) => files.serve(exchange);
}
