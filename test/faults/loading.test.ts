/** Application modules that cannot be loaded: the server does not start, says why, and ends with exit code 3. */
import test from 'ava';
import { application } from '../server/harness.ts';
import { startProcess } from '../server/process.ts';

const good = { application: application('server', 'messages'), threads: { max: 1 } };
const faulty = (name: string) => ({ application: application('faults', name), threads: { max: 1 } });

const cases = [
  { name: 'load-throws', title: 'throws while it loads', says: /Error: no database here/ },
  { name: 'load-syntax', title: 'is not JavaScript', says: /SyntaxError/ },
  { name: 'load-import', title: 'imports what is not there', says: /Cannot find module .*nowhere/ },
  {
    name: 'load-default',
    title: 'has no default export',
    says: /default export that is an application.*exports answer/,
  },
  {
    name: 'load-object',
    title: 'has a default export that is no function',
    says: /default export that is an application.*default export is an object/,
  },
  { name: 'load-dies', title: 'throws null where nobody catches while it loads', says: /not an Error: null/ },
  {
    name: 'load-exits',
    title: 'ends its thread while it loads',
    says: /load-exits.*exited with code: \d+, by process\.exit\(\d+\) in the module/,
  },
];

for (const { name, title, says } of cases) {
  test(`start fails with exit code 3, the module and the cause when it ${title}`, async (t) => {
    const { ended, log, errors } = startProcess(t, { pools: { good, faulty: faulty(name) } });
    t.deepEqual(await ended, { code: 3, signal: null });
    const fatal = log.lines.find(({ level }) => level === 'fatal');
    t.is(fatal?.code, 'SLUICE_APPLICATION_LOAD_FAILED', errors());
    t.regex(String(fatal?.msg), new RegExp(`pool 'faulty'.*${name}\\.ts`));
    t.regex(String(fatal?.msg), says);
    t.is(log.find('listening'), undefined);
    t.is(log.find('thread died'), undefined, 'it is not replaced');
  });
}

for (const [name, says] of [
  ['load-rejects-later', /connect ECONNREFUSED of a database/],
  ['load-throws-later', /thrown a moment after/],
] as const) {
  test(`start fails with exit code 3 when a module fails a moment after it was loaded: ${name}`, async (t) => {
    const pool = { ...faulty(name), minUptimeMs: 600_000 };
    const { ended, log, errors } = startProcess(t, { pools: { good, faulty: pool } });
    t.deepEqual(await ended, { code: 3, signal: null });
    const fatal = log.lines.find(({ level }) => level === 'fatal');
    t.is(fatal?.code, 'SLUICE_APPLICATION_LOAD_FAILED', errors());
    t.regex(String(fatal?.msg), new RegExp(`pool 'faulty'.*${name}\\.ts`));
    t.regex(String(fatal?.msg), says);
  });
}

for (const name of ['load-never', 'load-loops']) {
  test(`start fails with exit code 3 when a module takes longer than startTimeoutMs: ${name}`, async (t) => {
    const pool = { ...faulty(name), startTimeoutMs: 200 };
    const { ended, log } = startProcess(t, { pools: { slow: pool } });
    t.deepEqual(await ended, { code: 3, signal: null });
    const fatal = log.lines.find(({ level }) => level === 'fatal');
    t.regex(String(fatal?.msg), new RegExp(`pool 'slow'.*${name}\\.ts.*did not load within 200 ms`));
    t.regex(String(fatal?.msg), /because its module.* has not ended.*startTimeoutMs/);
  });
}

test('a call that no thread may make is shown with the file and line of it', async (t) => {
  const { ended, log } = startProcess(t, { pools: { faulty: faulty('load-aborts') } });
  t.deepEqual(await ended, { code: 3, signal: null });
  const fatal = log.lines.find(({ level }) => level === 'fatal') as {
    source?: string;
    err?: { code?: string; stack: string };
  };
  t.regex(fatal.source ?? '', /load-aborts\.ts:3:\d+\nprocess\.abort\(\);\n/);
  t.is(fatal.err?.code, 'SLUICE_PROCESS_IN_THREAD');
});

test('start fails with exit code 3 when the module is missing', async (t) => {
  const { ended, errors } = startProcess(t, { pools: { good, absent: faulty('absent') } });
  t.deepEqual(await ended, { code: 3, signal: null });
  t.regex(errors(), /\$\.pools\.absent\.application/);
  t.regex(errors(), /absent\.ts/);
});

test('start fails with exit code 1 when the address is taken', async (t) => {
  const first = startProcess(t, { pools: { good } });
  const origin = await first.listening();
  const address = origin.slice('http://'.length);
  const { ended, log } = startProcess(t, { pools: { good }, listeners: [{ address }] });
  t.deepEqual(await ended, { code: 1, signal: null });
  t.regex(JSON.stringify(log.lines), /EADDRINUSE/);
});
