/**
 * The built-in application of routes with `static`. A thread that gets options takes its application from
 * `create`, which it calls once, and not from the default export. So the gateway itself needs nothing for
 * options.
 */
import { statSync } from 'node:fs';
import type { Application } from '../gateway.ts';
import { Files } from './files.ts';
import type { StaticOptions } from './options.ts';
import { SURROUNDINGS } from './surroundings.ts';

/** @throws if the root is no directory, so that the server does not start without it */
export function create(options: StaticOptions): Application {
  const { root } = options;
  if (!statSync(root).isDirectory()) throw new Error(`expected a directory at ${root}, got something else`);
  const files = new Files(options, SURROUNDINGS);
  return (exchange) => files.serve(exchange);
}
