/** Which errors in TLS files are found, with which code, and at which place. */
import { createPrivateKey, randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import test from 'ava';
import { ConfigErrorCode, type ConfigProblem } from '../../runtime/config/errors.ts';
import type { TlsConfig } from '../../runtime/config/listeners.ts';
import { parseConfig } from '../../runtime/config/load.ts';
import { readTlsFile } from '../../runtime/tls/files.ts';
import { readMaterial, type TlsMaterial } from '../../runtime/tls/material.ts';
import { FileScope } from '../server/harness.ts';
import { type Issued, TestAuthority, TestFiles } from './authority.ts';

const scope = new FileScope();
const dayMs = 86_400_000;
let authority: TestAuthority;
let files: TestFiles;
let one: Issued;
let other: Issued;

test.before(async () => {
  authority = await TestAuthority.create();
  files = new TestFiles(scope);
  one = await authority.issue({ names: ['a.example', '*.b.example'] });
  other = await authority.issue({ names: ['c.example'], isRsa: true });
});
test.after.always(() => scope.end());

/** The `tls` section of the second listener of a configuration. */
function section(tls: object): TlsConfig {
  const input = {
    listeners: [{ address: '127.0.0.1:1' }, { address: '127.0.0.1:2', tls }],
    pools: { app: { application: './app.ts' } },
    routes: [{ path: '/*', pool: 'app' }],
  };
  return parseConfig(JSON.stringify(input), `${files.directory}/runtime.config.json`).listeners[1]
    .tls as TlsConfig;
}

async function read(
  tls: object,
): Promise<{ material: TlsMaterial | null; problems: readonly ConfigProblem[] }> {
  const problems: ConfigProblem[] = [];
  return { material: readMaterial(section(tls), Date.now(), readTlsFile, problems), problems };
}

async function problemOf(tls: object): Promise<ConfigProblem> {
  const { material, problems } = await read(tls);
  if (material !== null || problems.length !== 1)
    throw new Error(`not one problem: ${JSON.stringify(problems)}`);
  return problems[0];
}

test('file paths are relative to the configuration, and a certificate is selected by its names', async (t) => {
  files.certificate('relative', one);
  const { material, problems } = await read({
    certificates: [{ cert: './relative.pem', key: './relative.key' }],
  });
  t.deepEqual(problems, []);
  t.truthy(material?.names.find('a.example'));
  t.truthy(material?.names.find('x.b.example'));
  t.is(material?.names.find('b.example'), undefined);
  t.deepEqual(material?.warnings, []);
});

test('a missing file is reported with its place in the configuration', async (t) => {
  const { cert } = files.certificate('half', one);
  t.deepEqual(await problemOf({ certificates: [{ cert, key: './none.key' }] }), {
    code: ConfigErrorCode.TlsUnreadable,
    where: '$.listeners[1].tls.certificates[0].key',
    expected: 'a private key in PEM',
    received: JSON.stringify(`${files.directory}/none.key`),
    hint: `ENOENT: no such file or directory, open '${files.directory}/none.key'`,
  });
});

test('a file without read permission is reported as unreadable', async (t) => {
  const entry = files.certificate('secret', one);
  chmodSync(entry.key, 0);
  // Root can read every file.
  if (process.getuid?.() === 0) return t.pass();
  t.like(await problemOf({ certificates: [entry] }), { code: ConfigErrorCode.TlsUnreadable });
});

test('a key that belongs to another certificate is a mismatch', async (t) => {
  const { cert } = files.certificate('one', one);
  const { key } = files.certificate('other', other);
  const problem = await problemOf({ certificates: [files.certificate('right', one), { cert, key }] });
  t.like(problem, {
    code: ConfigErrorCode.TlsKeyMismatch,
    where: '$.listeners[1].tls.certificates[1].key',
    hint: 'it is the key of another certificate',
  });
});

test('a file that is not a certificate and one that is not a key are invalid, and both are reported', async (t) => {
  const cert = files.write('text.pem', 'not PEM');
  const key = files.write('text.key', one.cert);
  const { problems } = await read({ certificates: [{ cert, key }] });
  t.deepEqual(
    problems.map(({ code, where }) => [code, where]),
    [
      [ConfigErrorCode.TlsInvalid, '$.listeners[1].tls.certificates[0].cert'],
      [ConfigErrorCode.TlsInvalid, '$.listeners[1].tls.certificates[0].key'],
    ],
  );
});

test('an encrypted key needs its passphrase, and the right one', async (t) => {
  const encrypted = createPrivateKey(one.key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'open sesame',
  });
  const entry = { ...files.certificate('encrypted', one), key: files.write('encrypted.key', encrypted) };
  const passphraseFile = files.write('passphrase', 'open sesame\n');
  t.regex((await problemOf({ certificates: [entry] })).hint ?? '', /name the file of its passphrase/);
  const wrong = { ...entry, passphraseFile: files.write('wrong', 'open barley') };
  t.is((await problemOf({ certificates: [wrong] })).hint, 'the passphrase is wrong');
  t.deepEqual((await read({ certificates: [{ ...entry, passphraseFile }] })).problems, []);
  const gone = { ...entry, passphraseFile: './none' };
  t.is(
    (await problemOf({ certificates: [gone] })).where,
    '$.listeners[1].tls.certificates[0].passphraseFile',
  );
});

test('an expired or not yet valid certificate is a warning, not an error', async (t) => {
  const now = Date.now();
  const old = await authority.issue({ validFromMs: now - 2 * dayMs, validToMs: now - dayMs });
  const young = await authority.issue({ validFromMs: now + dayMs, validToMs: now + 2 * dayMs });
  const { material } = await read({
    certificates: [files.certificate('old', old), files.certificate('young', young)],
  });
  t.deepEqual(
    material?.warnings.map(({ code, where }) => [code, where]),
    [
      ['SLUICE_TLS_EXPIRED', '$.listeners[1].tls.certificates[0].cert'],
      ['SLUICE_TLS_NOT_YET_VALID', '$.listeners[1].tls.certificates[1].cert'],
    ],
  );
});

test('ciphers that OpenSSL does not know are an error at their place in the configuration', async (t) => {
  const certificates = [files.certificate('ciphers', one)];
  t.like(await problemOf({ certificates, ciphers: 'NO-SUCH-CIPHER' }), {
    code: ConfigErrorCode.TlsInvalid,
    where: '$.listeners[1].tls.ciphers',
  });
  t.deepEqual((await read({ certificates, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).problems, []);
});

test('invalid CA files are an error at their place in the configuration', async (t) => {
  const certificates = [files.certificate('with-ca', one)];
  const ca = [files.write('ca.pem', authority.cert), files.write('noca.pem', 'nothing')];
  t.like(await problemOf({ certificates, requestCert: true, ca }), {
    code: ConfigErrorCode.TlsInvalid,
    where: '$.listeners[1].tls.ca[1]',
  });
});

test('ticket keys are 48 bytes', async (t) => {
  const certificates = [files.certificate('tickets', one)];
  const ticketKeys = files.write('short.keys', randomBytes(47));
  t.like(await problemOf({ certificates, ticketKeys }), {
    code: ConfigErrorCode.TlsInvalid,
    where: '$.listeners[1].tls.ticketKeys',
    hint: 'it has 47',
  });
  t.like(await problemOf({ certificates, ticketKeys: './none' }), { code: ConfigErrorCode.TlsUnreadable });
});

test('the digest changes when anything has changed', async (t) => {
  const certificates = [files.certificate('digest', one)];
  const { material } = await read({ certificates });
  t.is((await read({ certificates })).material?.digest, material?.digest);
  files.certificate('digest', other);
  t.not((await read({ certificates })).material?.digest, material?.digest);
});
