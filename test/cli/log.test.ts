import { Writable } from 'node:stream';
import test from 'ava';
import { createLog, flushLog } from '../../runtime/logging/log.ts';
import { formatLine } from '../../wire/log-line.ts';

/** A reader of standard output that may stall until `resume` is called. */
class Reader {
  readonly lines: string[] = [];
  readonly stream: Writable;
  #stalls: boolean;
  #held: (() => void) | undefined;

  constructor(stalls = false) {
    this.#stalls = stalls;
    this.stream = new Writable({
      decodeStrings: false,
      write: (chunk: string, _encoding, done) => {
        if (chunk !== '') this.lines.push(chunk);
        if (this.#stalls) this.#held = done;
        else done();
      },
    });
  }

  resume(): void {
    this.#stalls = false;
    this.#held?.();
  }
}

const outputTo = (stream: Writable) => ({ stream, isTerminal: false, colour: false });

const json = { level: 'info', format: 'auto' } as const;

test('a line is one JSON object with time, level, process and message', (t) => {
  const reader = new Reader();
  createLog(json, { stream: reader.stream, isTerminal: false, colour: false }).info(
    { pool: 'hello' },
    'ready',
  );
  const { time, ...rest } = JSON.parse(reader.lines[0]);
  t.deepEqual(rest, { level: 'info', pid: process.pid, pool: 'hello', msg: 'ready' });
  t.regex(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  t.true(reader.lines[0].endsWith('\n'));
});

test('auto writes text to a terminal; json and text write the same everywhere', (t) => {
  const first = (format: 'auto' | 'json' | 'text', isTerminal: boolean) => {
    const reader = new Reader();
    createLog({ level: 'info', format }, { stream: reader.stream, isTerminal, colour: false }).info('ready');
    return reader.lines[0];
  };
  t.regex(first('auto', true), /^[\d:.]{12} info {2}ready\n$/);
  t.regex(first('text', false), /^[\d:.]{12} info {2}ready\n$/);
  t.is(JSON.parse(first('auto', false)).msg, 'ready');
  t.is(JSON.parse(first('json', true)).msg, 'ready');
});

test('lines below the level are not written', (t) => {
  const reader = new Reader();
  const log = createLog(
    { ...json, level: 'warn' },
    { stream: reader.stream, isTerminal: false, colour: false },
  );
  log.info('quiet');
  log.child({ part: 1 }).warn('loud');
  t.is(reader.lines.length, 1);
  createLog({ ...json, level: 'silent' }, { stream: reader.stream, isTerminal: false, colour: false }).fatal(
    'never',
  );
  t.is(reader.lines.length, 1);
});

const time = '2026-01-02T03:04:05.678Z';

test('text has the time, the level, the message and the rest as key=value, quoted where needed', (t) => {
  const line = JSON.stringify({
    level: 'warn',
    time,
    pid: 1,
    pool: 'hello',
    note: 'a b',
    n: 2,
    o: { x: 1 },
    msg: 'slow',
  });
  t.is(formatLine(line, false), '03:04:05.678 warn  slow pool=hello note="a b" n=2 o={"x":1}');
});

test('text shows the stack of an error below the line', (t) => {
  const err = { type: 'Error', message: 'boo', stack: 'Error: boo\n    at a\n    at b' };
  const line = JSON.stringify({ level: 'error', time, pid: 1, err, msg: 'failed' });
  t.is(formatLine(line, false), '03:04:05.678 error failed\n    Error: boo\n        at a\n        at b');
});

test('text is coloured only where asked', (t) => {
  const line = JSON.stringify({ level: 'error', time, pid: 1, msg: 'failed' });
  t.true(formatLine(line, true).includes('\x1b[31m'));
  t.false(formatLine(line, false).includes('\x1b'));
});

test('control characters from a peer do not reach a terminal', (t) => {
  const hostile = '\x1b]0;owned\x07\x9b31m\r';
  const err = { stack: `Error: ${hostile}` };
  const line = JSON.stringify({
    level: 'info',
    time,
    pid: 1,
    path: hostile,
    o: { hostile },
    err,
    msg: hostile,
  });
  t.false(/[^\P{Cc}\n]/u.test(formatLine(line, false)));
});

test('a reader that stalls holds up at most the bytes allowed; later lines are dropped and then counted', async (t) => {
  const reader = new Reader(true);
  const log = createLog({ ...json, maxWaitingBytes: 20_000 }, outputTo(reader.stream));
  for (let i = 0; i < 1_000; i += 1) log.info({ i }, 'x'.repeat(100));
  t.true(reader.stream.writableLength <= 20_000);
  reader.resume();
  // The first flush is through when the dropped lines are reported, the second when that report is written.
  await flushLog(log, 60_000);
  await flushLog(log, 60_000);
  const records = reader.lines.map((line) => JSON.parse(line));
  const warnings = records.filter(({ level }) => level === 'warn');
  for (const { msg } of warnings) t.is(msg, 'log lines were dropped: standard output did not accept them');
  const dropped = warnings.reduce((sum, { lines }) => sum + lines, 0);
  t.true(dropped > 0);
  t.is(dropped, 1_000 - (records.length - warnings.length));
});

test('a flush waits for what was logged before it', async (t) => {
  const reader = new Reader(true);
  const log = createLog(json, { stream: reader.stream, isTerminal: false, colour: false });
  log.info('one');
  log.info('two');
  const flushed = flushLog(log, 60_000);
  reader.resume();
  await flushed;
  t.is(reader.lines.length, 2);
});

test('a flush gives up on a reader that stays stalled', async (t) => {
  const log = createLog(json, { stream: new Reader(true).stream, isTerminal: false, colour: false });
  log.info('never read');
  await flushLog(log, 1);
  t.pass();
});

test('a reader that has gone ends neither the server nor a flush', async (t) => {
  const stream = new Writable({
    write: (_chunk, _encoding, done) => done(new Error('EPIPE')),
  });
  const log = createLog(json, outputTo(stream));
  log.info('lost');
  await new Promise((resolve) => stream.once('close', resolve));
  log.info('lost as well');
  await flushLog(log, 60_000);
  t.pass();
});
