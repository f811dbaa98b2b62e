/** TLS from the command line: --dev-tls, and exit code 2 for invalid files. */
import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { configInput, FileScope } from '../server/harness.ts';
import { LogLines } from '../server/log-lines.ts';
import { TestAuthority, TestFiles } from './authority.ts';
import { seenIn, who } from './who.ts';

const run = promisify(execFile);
const cli = fileURLToPath(new URL('../../runtime/cli.ts', import.meta.url));
const scope = new FileScope();
let files: TestFiles;
let authority: TestAuthority;

test.before(async () => {
  files = new TestFiles(scope);
  authority = await TestAuthority.create();
});
test.after.always(() => scope.end());

function config(name: string, listeners: object[]): string {
  return files.write(name, JSON.stringify({ ...configInput({ pools: { who } }), listeners }));
}

async function sluice(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await run(process.execPath, [cli, ...words])) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

test('--dev-tls serves localhost and its addresses with a generated certificate, and prints how to try it', async (t) => {
  const file = config('dev.json', [{ address: '127.0.0.1:0' }]);
  const child = spawn(process.execPath, [cli, 'start', '-c', file, '--dev-tls'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const log = new LogLines();
  child.stdout.setEncoding('utf8').on('data', (text: string) => log.push(text));
  const tried = await log.until('try: ');
  const made = log.find('development certificate');
  const [command, ...words] = String(tried.msg).replace('try: ', '').split(' ');
  t.is(command, 'curl');
  t.true(words.includes('-k'));
  const { stdout } = await run(command, ['-sS', ...words]);
  t.like(seenIn(stdout), { scheme: 'https', version: '2', tls: { version: 'TLSv1.3' } });

  const address = String(log.find('listening on')?.address);
  const shown = run('openssl', ['s_client', '-connect', address, '-servername', 'localhost']);
  shown.child.stdin?.end();
  const pem =
    /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec((await shown).stdout)?.[0] ?? '';
  const path = files.write('dev.pem', pem);
  const { stdout: print } = await run('openssl', ['x509', '-in', path, '-noout', '-fingerprint', '-sha256']);
  t.true(print.includes(String(made?.fingerprint256)));
  // A client that trusts the certificate finds all three names in it.
  const port = address.split(':').at(-1);
  for (const host of ['localhost', '127.0.0.1']) {
    const trusted = await run('curl', ['-sS', '--cacert', path, `https://${host}:${port}/`]);
    t.is(seenIn(trusted.stdout).scheme, 'https');
  }
  const { stdout: text } = await run('openssl', ['x509', '-in', path, '-noout', '-ext', 'subjectAltName']);
  t.regex(text, /DNS:localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1/);
});

test('start and check exit with 2 and report every wrong file with its place', async (t) => {
  const { cert } = files.certificate('a', await authority.issue({}));
  const { key } = files.certificate('b', await authority.issue({}));
  const file = config('wrong.json', [
    { address: '127.0.0.1:0', tls: { certificates: [{ cert, key }] } },
    { address: '127.0.0.1:0', tls: { certificates: [{ cert: './none.pem', key }] } },
  ]);
  for (const command of ['check', 'start']) {
    const { code, stderr } = await sluice(command, '-c', file);
    t.is(code, 2);
    t.regex(
      stderr,
      /\$\.listeners\[0\]\.tls\.certificates\[0\]\.key: expected .*\[SLUICE_TLS_KEY_MISMATCH\]/,
    );
    t.regex(stderr, /\$\.listeners\[1\]\.tls\.certificates\[0\]\.cert: expected .*\[SLUICE_TLS_UNREADABLE\]/);
  }
});

test('check warns about an expired certificate, and shows each listener and how it is served', async (t) => {
  const validToMs = Date.now() - 1_000;
  const entry = files.certificate('old', await authority.issue({ validToMs }));
  const tls = { certificates: [entry], requestCert: true, ca: [files.write('ca.pem', authority.cert)] };
  const file = config('old.json', [{ address: '127.0.0.1:8443', tls }, { address: 'unix:./app.sock' }]);
  const { code, stdout, stderr } = await sluice('check', '-c', file);
  t.is(code, 0);
  t.regex(stderr, /warning: \$\.listeners\[0\]\.tls\.certificates\[0\]\.cert: .* \[SLUICE_TLS_EXPIRED\]/);
  t.regex(
    stdout,
    /127\.0\.0\.1:8443 {2}HTTP\/2 and HTTP\/1\.1, TLS with 1 certificate, client certificates required/,
  );
  t.regex(stdout, /unix:\.\/app\.sock {2}HTTP\/2 and HTTP\/1\.1, cleartext/);
});
