#!/usr/bin/env node
/**
 * The `sluice` command. Nothing is imported before the compile cache is on, so that every module after it
 * comes from the cache, already compiled (and in a checkout, already stripped of its types).
 */

import module from 'node:module';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 20)) {
  process.stderr.write(`sluice: expected Node 22.20 or later, this is ${process.versions.node}\n`);
  process.exit(1);
}
// Node opens its inspector on SIGUSR1 unless the process listens to the signal. The listener that acts on it
// is in `log-rotation.ts`.
process.on('SIGUSR1', () => undefined);
// It would end the process. What is said of it is in `unused-signals.ts`.
process.on('SIGUSR2', () => undefined);
module.enableCompileCache();
const { main } = await import('./cli/main.ts');
// The process exits explicitly, because a forgotten handle must not keep a drained server alive.
process.exit(await main(process.argv.slice(2), process.env));
