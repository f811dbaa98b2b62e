/** A process that is stopped and goes on: its threads have not had the time that has passed. The system's clock is the only one that shows it. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { requestHttp1 } from '../server/http1-client.ts';
import { type ServerProcess, startProcess } from '../server/process.ts';
import { AppFolder } from './app-folder.ts';

/** Longer than a thread takes to load, on a busy machine. */
const LIMIT_MS = 8_000;
const onLinux = process.platform === 'linux' ? test : test.skip;

/** Waits until the process has stopped itself, and lets it go on when the limit is over. */
async function goOnBehindTheLimit({ child }: ServerProcess): Promise<void> {
  const isStopped = () => / T /.test(readFileSync(`/proc/${child.pid}/stat`, 'latin1'));
  while (!isStopped()) await delay(20);
  await delay(LIMIT_MS + 500);
  child.kill('SIGCONT');
}

/** In the middle of whatever it does. */
const STOP = "process.kill(process.pid, 'SIGSTOP');";
/** It is given some of its time when the process goes on. */
const A_WHILE = `for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 100));`;
const ANSWER = "export default (exchange) => exchange.respond(200, {}, 'here');";

onLinux('a thread that loads while the process is stopped has its time to load afterwards', async (t) => {
  const folder = new AppFolder(t);
  const application = folder.write('app.mjs', `${STOP}\n${A_WHILE}\n${ANSWER}`);
  const server = startProcess(t, { pools: { app: { application, threads: 1, startTimeoutMs: LIMIT_MS } } });
  await goOnBehindTheLimit(server);
  t.is(String((await requestHttp1(await server.listening())).body), 'here');
});

onLinux('a version is not proven by time in which the process was stopped', async (t) => {
  const folder = new AppFolder(t);
  const application = folder.answering('app.mjs', 'old');
  const server = startProcess(t, {
    pools: { app: { application, threads: 1, minUptimeMs: LIMIT_MS, startTimeoutMs: 60_000 } },
  });
  const origin = await server.listening();
  folder.write(
    'app.mjs',
    `setImmediate(async () => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      ${STOP}
      ${A_WHILE}
      throw new Error('not for long');
    });
    ${ANSWER}`,
  );
  server.child.kill('SIGHUP');
  await goOnBehindTheLimit(server);
  const line = await server.log.until('not reloaded, the running version stays');
  t.regex(String(line.msg), /not for long/);
  t.is(String((await requestHttp1(origin)).body), 'old');
});
