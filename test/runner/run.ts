/**
 * Runs the tests: all of them or a part (`parts.ts`), on the Node of the scripts or on others.
 *
 *   npm test                                   everything, after the linter and the compiler
 *   npm run test:fast [-- PATTERN…]            about half a minute on two cores
 *   npm run test:node [-- [--short] [VERSION…] [PATTERN…]]   on the versions in test/nodes; without VERSION on each
 *   … -- --again                               runs files that failed once more, one file at a time; the second run decides
 *   … -- --verbose                             shows tests that passed, too, which `.ci/summary` counts
 *
 * Shows failures as they occur, with their reasons at the end, and how many tests passed. The output of tests and their servers goes
 * to a file, which is named if something failed; `npx ava FILE` shows everything.
 */
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installedNode, versions } from '../nodes/installed.ts';
import { filesToRunAgain } from './again.ts';
import { expectation, missingPeers } from './expectations.ts';
import { isFast, isShort, type Part, SHORT_VARIABLE } from './parts.ts';
import { withoutPassed } from './passed.ts';

const root = process.cwd();
const ava = fileURLToPath(new URL('../../node_modules/ava/entrypoints/cli.mjs', import.meta.url));
const VERSION = /^\d+(?:\.\d+)*$/;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    fast: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    node: { type: 'boolean', default: false },
    again: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
const part = values.fast ? 'fast' : values.short ? 'short' : 'whole';
const named = positionals.filter((word) => VERSION.test(word));
const patterns = positionals.filter((word) => !VERSION.test(word));
const wanted = named.length === 0 && values.node ? versions : named;
const nodes = wanted.length === 0 ? [process.execPath] : await Promise.all(wanted.map(installedNode));

if (patterns.length === 0) console.log(`\n  ${expectation(part, missingPeers(process.env.PATH ?? ''))}`);
for (const node of nodes) if (!(await run(node))) process.exitCode = 1;

/** @returns whether all went well. */
async function run(node: string): Promise<boolean> {
  const files = patterns.length === 0 ? filesOf(part) : patterns;
  const log = join(root, `test-${nodes.indexOf(node) + 1}.log`);
  const first = await runAva(node, files, log);
  if (first.code === 0) return true;
  console.log(`\n  ${node} failed; what the tests printed is in ${log}`);
  const again = values.again ? filesToRunAgain(first.output, (file) => existsSync(join(root, file))) : null;
  if (again === null) return false;
  // `.ci/summary` reads this line and takes what follows for the verdict.
  console.log(`\n  Run again, one file at a time: ${again.join(' ')}`);
  const second = await runAva(node, ['--concurrency=1', ...again], `${log}.again`);
  return second.code === 0;
}

interface AvaRun {
  readonly code: number | null;
  /** What AVA wrote to standard output. */
  readonly output: string;
}

async function runAva(node: string, words: readonly string[], log: string): Promise<AvaRun> {
  const child = spawn(node, [ava, ...words], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      // Tests start `node` by its name, too.
      PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
      // A third of the time of a short test file goes into compiling what it imports.
      NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled'),
      ...(part !== 'whole' && { [SHORT_VARIABLE]: '1' }),
    },
  });
  let output = '';
  const show = values.verbose ? (text: string) => text : withoutPassed();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    process.stdout.write(show(text));
  });
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  await pipeline(child.stderr, createWriteStream(log));
  return { code: await code, output };
}

/** Empty: AVA finds all files by itself. */
function filesOf(wanted: Part): string[] {
  if (wanted === 'whole') return [];
  const isPart = wanted === 'fast' ? isFast : isShort;
  return readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts') && isPart(file))
    .map((file) => join('test', file));
}
