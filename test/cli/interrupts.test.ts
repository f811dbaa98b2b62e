/** What ends a command that runs until the user ends it, with a clock and signals of the test's own; and Ctrl-C under npx. */
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { untilInterrupted } from '../../runtime/cli/interrupts.ts';
import { REPEATED_SIGINT_MS, StopSignals } from '../../runtime/process/stop-signals.ts';
import { ownFolder } from '../control/control-server.ts';
import { application } from '../server/harness.ts';
import { startProcess } from '../server/process.ts';

const COMMAND = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));

function listen() {
  const source = new EventEmitter();
  const output = new EventEmitter();
  const exits: number[] = [];
  let nowMs = 0;
  const signal = untilInterrupted(new StopSignals(() => nowMs, source), output, (code) => exits.push(code));
  const send = async (name: NodeJS.Signals, atMs: number) => {
    nowMs = atMs;
    source.emit(name, name);
    // What follows a signal follows in promises.
    await Promise.resolve();
    await Promise.resolve();
  };
  return { signal, output, exits, send };
}

test('a Ctrl-C that npx passes on as well ends the command once, and another one ends the process', async (t) => {
  const { signal, exits, send } = listen();
  await send('SIGINT', 1_000);
  t.true(signal.aborted);
  await send('SIGINT', 1_000 + REPEATED_SIGINT_MS - 1);
  t.deepEqual(exits, []);
  await send('SIGINT', 1_000 + REPEATED_SIGINT_MS);
  t.deepEqual(exits, [130]);
});

test('so does SIGTERM, and a reader that has gone, however often that is reported', async (t) => {
  const terminated = listen();
  await terminated.send('SIGTERM', 0);
  t.true(terminated.signal.aborted);
  const gone = listen();
  gone.output.emit('error', new Error('EPIPE'));
  gone.output.emit('error', new Error('EPIPE'));
  t.true(gone.signal.aborted);
});

/** A project in which npx finds the command of this checkout. */
function project(t: ExecutionContext): string {
  const folder = ownFolder(t);
  const command = join(folder, 'node_modules/.bin/sluice');
  mkdirSync(dirname(command), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"name":"project","private":true}');
  const script = join(folder, 'sluice.sh');
  // npx reports the signal and not how the command ended, so the command does. A process that a signal kills has no such event.
  const tell = join(folder, 'tell.mjs');
  writeFileSync(tell, "process.on('exit', (code) => console.error('ended with', code));");
  writeFileSync(script, `#!/bin/sh\nexec "${process.execPath}" --import "${tell}" "${COMMAND}" "$@"\n`);
  chmodSync(script, 0o755);
  symlinkSync(script, command);
  return folder;
}

for (const [words, seen] of [
  [['top'], /, running/],
  [['logs', '-f'], /listening on/],
] as const) {
  test(`Ctrl-C ends npx sluice ${words.join(' ')} well`, async (t) => {
    const folder = project(t);
    const variables = { XDG_RUNTIME_DIR: folder };
    const app = { application: application('server', 'pool-name'), threads: { min: 1, max: 1 } };
    const server = startProcess(t, { pools: { app } }, [], variables);
    await server.listening();
    const npx = spawn('npx', ['--no-install', 'sluice', ...words, '--config', server.file], {
      cwd: folder,
      // A process group of its own, as a terminal gives it, so that the signal reaches npx, its shell and the command.
      detached: true,
      env: { ...process.env, ...variables, NO_UPDATE_NOTIFIER: '1', npm_config_update_notifier: 'false' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const signalAll = (name: NodeJS.Signals): void => {
      if (npx.pid !== undefined && npx.exitCode === null && npx.signalCode === null)
        process.kill(-npx.pid, name);
    };
    t.teardown(() => signalAll('SIGKILL'));
    const closed = once(npx, 'close');
    let output = '';
    let errors = '';
    const shown = new Promise<void>((resolve) => {
      npx.stdout.setEncoding('utf8').on('data', (piece: string) => {
        output += piece;
        if (seen.test(output)) resolve();
      });
    });
    npx.stderr.setEncoding('utf8').on('data', (piece: string) => {
      errors += piece;
    });
    await Promise.race([shown, closed]);
    t.regex(output, seen, errors);
    signalAll('SIGINT');
    await closed;
    t.is(errors, 'ended with 0\n');
  });
}
