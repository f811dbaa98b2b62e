/** Ctrl-C of the sluice commands, and loads and servers that fail: what is left behind, and the exit code. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { REPEATED_SIGINT_MS } from '../../runtime/process/stop-signals.ts';
import { configInput } from '../server/harness.ts';
import { PRIMES, START } from './clinic-run.ts';

interface Running {
  readonly child: ChildProcess;
  readonly directory: string;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  /** Resolves when standard error contains the text. */
  said(what: RegExp): Promise<void>;
  /** Folders of a run, with the files that clinic and Node leave in them. */
  readonly left: () => string[];
}

function sluice(t: ExecutionContext, tool: string, words: readonly string[], application = PRIMES): Running {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-interrupts-'));
  const temporary = join(directory, 'temporary');
  mkdirSync(temporary);
  const config = configInput({ pools: { primes: { application, threads: { min: 1, max: 1 } } } });
  writeFileSync(join(directory, 'runtime.config.json'), JSON.stringify(config));
  const child = spawn(process.execPath, [START, tool, '--output', 'profile', ...words], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  });
  let output = '';
  const told = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      for (const tell of told) tell();
    });
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true });
  });
  const said = (what: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const tell = () => what.test(output) && resolve();
      told.add(tell);
      tell();
      void ended.then(() => reject(new Error(`it ended and has not said ${what}: ${output}`)));
    });
  const left = () => readdirSync(temporary).filter((name) => name.startsWith('sluice-clinic-'));
  return { child, directory, output: () => output, ended, said, left };
}

/** The port is free again, so nothing of the server is left. */
async function isGone(output: string): Promise<boolean> {
  const origin = /listening on (http:\/\/\S+?)"/.exec(output)?.[1] ?? '';
  return fetch(origin).then(
    () => false,
    () => true,
  );
}

test.serial('without a load the command waits, and Ctrl-C produces the report', async (t) => {
  t.timeout(120_000);
  const { child, directory, output, ended, said, left } = sluice(t, 'bubbleprof', []);
  await said(/make your load now/);
  const [, origin = ''] = /listening on (http:\/\/\S+?)"/.exec(output()) ?? [];
  t.is((await fetch(`${origin}/?below=10`)).status, 200);
  // As under npx, which forwards a signal that the terminal has already sent.
  child.kill('SIGINT');
  child.kill('SIGINT');
  t.is(await ended, 0, output());
  t.true(existsSync(join(directory, 'profile/reactor.clinic-bubbleprof.html')));
  t.regex(output(), /^primes: .+\n {2}look at: .+\n.*reactor\.clinic-bubbleprof\.html\n$/m);
  t.deepEqual(left(), []);
  t.true(await isGone(output()));
});

test.serial('Ctrl-C again ends everything at once, with 130', async (t) => {
  t.timeout(120_000);
  const { child, directory, output, ended, said, left } = sluice(t, 'doctor', [
    '--',
    'sh',
    '-c',
    'trap "" INT; echo begun; sleep 600',
  ]);
  // It must be on a line of its own: the command prints the load, which contains this word, before the
  // process that ignores Ctrl-C exists.
  await said(/^begun$/m);
  child.kill('SIGINT');
  const isOver = ended.then(() => true);
  const soon = () => new Promise<false>((resolve) => setTimeout(resolve, REPEATED_SIGINT_MS / 20, false));
  while (!(await Promise.race([isOver, soon()]))) child.kill('SIGINT');
  t.is(await ended, 130, output());
  t.deepEqual(left(), []);
  t.false(existsSync(join(directory, 'profile/reactor.clinic-doctor.html')));
  t.true(await isGone(output()));
});

test.serial('a failed load ends the command with 1, and the server', async (t) => {
  t.timeout(120_000);
  const { output, ended, left } = sluice(t, 'doctor', ['--', 'sh', '-c', 'exit 7']);
  t.is(await ended, 1);
  t.regex(output(), /sluice: the load ended with 7: sh -c exit 7/);
  t.deepEqual(left(), []);
  t.true(await isGone(output()));
});

test.serial('an application that does not load ends the command as it ends the server, with 3', async (t) => {
  t.timeout(120_000);
  const directory = mkdtempSync(join(tmpdir(), 'sluice-interrupts-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const broken = join(directory, 'broken.js');
  writeFileSync(broken, "throw new Error('cannot load');\n");
  const { output, ended, left } = sluice(t, 'doctor', ['--load', '/'], broken);
  t.is(await ended, 3);
  t.regex(output(), /cannot load/);
  t.regex(output(), /the server ended before it listened/);
  t.deepEqual(left(), []);
});
