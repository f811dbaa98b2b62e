/**
 * The arguments of `sluice doctor` and similar commands, the load that they select, and the required version
 * of clinic.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { clinicUsage, readClinicArguments, UsageError } from '../../runtime/cli/clinic-arguments.ts';
import { longestMs } from '../../runtime/cli/clinic-profiles.ts';
import { ClinicCode, ClinicError, findClinic } from '../../runtime/clinic/installed.ts';
import { originOf, ownLoad, withOrigin } from '../../runtime/clinic/load.ts';

const braced = (name: string) => `$\{${name}}`;
const noon = new Date('2026-01-02T12:00:00.123Z');
const root = fileURLToPath(new URL('../../', import.meta.url));

test('the tool takes its own flags, passes on those of the server, and runs the command after --', (t) => {
  const words = ['--pool', 'render', '-c', 'a.json', '--load=/a?b=c', '--seconds', '3', '--threads=2'];
  t.deepEqual(readClinicArguments('flame', words, noon), {
    pool: 'render',
    output: 'sluice-flame-20260102-120000',
    load: '/a?b=c',
    seconds: 3,
    connections: 10,
    command: [],
    startWords: ['-c', 'a.json', '--threads=2'],
  });
  const { command, startWords } = readClinicArguments('doctor', ['--', 'h2load', '--pool', '--load', '/x']);
  t.deepEqual([command, startWords], [['h2load', '--pool', '--load', '/x'], []]);
});

for (const [words, said] of [
  [['--pool'], '--pool: expected a value, got none'],
  [['--load='], '--load: expected a value, got none'],
  [['--load', 'report'], '--load: expected a path that begins with "/", got report'],
  [['--seconds', '0'], '--seconds: expected a whole number from 1 to 86400, got 0'],
  [['--connections', 'many'], '--connections: expected a whole number from 1 to 86400, got many'],
  [['--pool', 'a', '--pool=b'], '--pool: expected it once, got it again'],
  [['--load', '/', '--', 'h2load'], 'expected --load or a command behind "--", got both'],
  [['--second', '3'], '--second: no such flag; did you mean --seconds?'],
  [['--drain-timeou', '3s'], '--drain-timeou: no such flag; did you mean --drain-timeout?'],
] as const) {
  test(`${words.join(' ')} is refused`, (t) => {
    const error = t.throws(() => readClinicArguments('doctor', words), { instanceOf: UsageError });
    t.is(error?.message, said);
  });
}

test('the usage names the tool', (t) => {
  t.regex(clinicUsage('bubbleprof'), /^usage: sluice bubbleprof /);
});

test('the load goes to the first listener with a port, at a reachable address', (t) => {
  const at = (...addresses: string[]) => originOf(addresses.map((address) => ({ address, tls: false })));
  t.deepEqual(at('unix:/run/a:80', '127.0.0.1:8080', '127.0.0.1:9'), {
    url: 'http://127.0.0.1:8080',
    port: 8080,
  });
  t.is(at('0.0.0.0:80')?.url, 'http://127.0.0.1:80');
  t.is(at('[::]:80')?.url, 'http://[::1]:80');
  t.is(originOf([{ address: 'localhost:443', tls: true }])?.url, 'https://localhost:443');
  t.is(at('unix:/run/a.sock'), null);
});

test("what is told of the server stands in the command's words where they ask for it", (t) => {
  const words = ['h2load', '$URL/a?b=$PORT', `${braced('URL')}x`, braced('PORT'), '$URLS', '$HOME', 'a$'];
  t.deepEqual(withOrigin(words, { url: 'http://h:1', port: 1 }), [
    ...['h2load', 'http://h:1/a?b=1', 'http://h:1x', '1', '$URLS', '$HOME', 'a$'],
  ]);
});

test('h2load makes the load if it is installed, and autocannon otherwise', (t) => {
  const directory = folder(t);
  const clinic = findClinic(root);
  const load = { path: '/report', seconds: 3, connections: 7 };
  const origin = { url: 'http://127.0.0.1:1', port: 1 };
  const other = ownLoad(load, origin, clinic, directory);
  t.regex(other[1] ?? '', /autocannon\.js$/);
  t.deepEqual(other.slice(2), ['-d', '3', '-c', '7', 'http://127.0.0.1:1/report']);
  writeFileSync(join(directory, 'h2load'), '', { mode: 0o755 });
  t.deepEqual(ownLoad(load, origin, clinic, `/nowhere:${directory}`), [
    ...['h2load', '-D', '3', '-c', '7', '-m', '10', 'http://127.0.0.1:1/report'],
  ]);
});

test('another version of clinic than the known one is reported as such', (t) => {
  const directory = folder(t);
  mkdirSync(join(directory, 'node_modules/clinic'), { recursive: true });
  writeFileSync(join(directory, 'node_modules/clinic/package.json'), '{ "version": "12.1.0" }');
  const error = t.throws(() => findClinic(directory), { instanceOf: ClinicError });
  t.is(error?.code, ClinicCode.OtherVersion);
  t.regex(
    error?.message ?? '',
    /expected clinic 13\.0\.0, found 12\.1\.0 at .*npm install --save-dev --save-exact clinic@13\.0\.0/,
  );
});

test('a profile of a load of known length runs only a little longer, so that samples stay frequent', (t) => {
  t.is(longestMs({ load: '/report', seconds: 10 }, 300), 30_000);
  t.is(longestMs({ load: '/report', seconds: 290 }, 300), 300_000);
  t.is(longestMs({ load: undefined, seconds: 10 }, 300), 300_000);
});

function folder(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-clinic-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}
