import * as crypto from 'node:crypto';
import test from 'ava';
import hash from '../../apps/hash/app.ts';
import { encodePassword, LIMITS, PARAMETERS, parseEncoded, verifyPassword } from '../../apps/hash/argon2.ts';
import { ask } from './memory-exchange.ts';

/** From the tests of the reference implementation, phc-winner-argon2 (Argon2id, version 19). */
const VECTORS = [
  {
    password: 'password',
    encoded: '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  },
  {
    password: 'password',
    encoded: '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc',
  },
  {
    password: 'password',
    encoded: '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  },
  {
    password: 'differentpassword',
    encoded: '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94',
  },
];

function parsed(encoded: string) {
  const value = parseEncoded(encoded);
  if (typeof value === 'string') throw new Error(value);
  return value;
}

for (const { password, encoded } of VECTORS) {
  test(`the reference hash ${encoded} is verified`, async (t) => {
    t.true(await verifyPassword(password, parsed(encoded)));
    t.false(await verifyPassword(`${password} `, parsed(encoded)));
  });
}

test('a hash has the documented parameters and a salt of its own', async (t) => {
  const [one, two] = [await encodePassword('secret'), await encodePassword('secret')];
  t.regex(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  t.not(one, two);
  t.is(parsed(one).tag.length, PARAMETERS.tagBytes);
  t.true(await verifyPassword('secret', parsed(one)));
});

test('the platform computes the same tag if it has Argon2', async (t) => {
  if (typeof crypto.argon2Sync !== 'function') return t.pass('this Node.js has no argon2Sync');
  const { salt, tag, memoryKiB, passes, lanes } = parsed(await encodePassword('Grüße, 世界'));
  const expected = crypto.argon2Sync('argon2id', {
    message: 'Grüße, 世界',
    nonce: salt,
    parallelism: lanes,
    tagLength: tag.length,
    memory: memoryKiB,
    passes,
  });
  t.deepEqual(Buffer.from(tag), expected);
});

const SALT = 'c29tZXNhbHQ';
const TAG = 'nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
const REFUSED: readonly [encoded: string, reason: RegExp][] = [
  ['', /expected the form/],
  [`$argon2i$v=19$m=256,t=2,p=1$${SALT}$${TAG}`, /expected the form/],
  [`$argon2id$v=16$m=256,t=2,p=1$${SALT}$${TAG}`, /version v=19, got v=16/],
  [`$argon2id$v=19$m=${LIMITS.memoryKiB + 1},t=2,p=1$${SALT}$${TAG}`, /KiB of memory\) from 8 to 65536/],
  [`$argon2id$v=19$m=4294967295,t=2,p=1$${SALT}$${TAG}`, /KiB of memory/],
  [`$argon2id$v=19$m=15,t=2,p=2$${SALT}$${TAG}`, /KiB of memory\) from 16/],
  [`$argon2id$v=19$m=256,t=${LIMITS.passes + 1},p=1$${SALT}$${TAG}`, /passes/],
  [`$argon2id$v=19$m=256,t=0,p=1$${SALT}$${TAG}`, /passes/],
  [`$argon2id$v=19$m=256,t=2,p=${LIMITS.lanes + 1}$${SALT}$${TAG}`, /lanes/],
  [`$argon2id$v=19$m=256,t=2,p=1$c29tZQ$${TAG}`, /salt/],
  [`$argon2id$v=19$m=256,t=2,p=1$${'A'.repeat(88)}$${TAG}`, /salt/],
  [`$argon2id$v=19$m=256,t=2,p=1$${SALT}$AAA`, /tag/],
  [`$argon2id$v=19$m=256,t=2,p=1$${SALT}$${'A'.repeat(88)}`, /tag/],
];

for (const [encoded, reason] of REFUSED) {
  test(`the hash '${encoded.slice(0, 60)}' is refused before anything is computed: ${reason.source}`, async (t) => {
    t.regex(String(parseEncoded(encoded)), reason);
    const response = await ask(hash, {
      method: 'POST',
      path: '/hash/verify',
      fields: { 'content-type': 'application/json' },
      body: JSON.stringify({ password: 'password', hash: encoded }),
    });
    t.is(response.status, 422);
    t.regex(response.text, reason);
  });
}

function post(path: string, body: string, type = 'application/json') {
  return ask(hash, { method: 'POST', path, body, fields: { 'content-type': type } });
}

test('POST /hash returns a hash that POST /hash/verify accepts, and no cache stores it', async (t) => {
  const hashed = await post('/hash', 'correct horse', 'text/plain');
  t.is(hashed.status, 200);
  t.is(hashed.fields.get('cache-control'), 'no-store');
  const encoded = hashed.text.trim();
  const right = await post('/hash/verify', JSON.stringify({ password: 'correct horse', hash: encoded }));
  t.deepEqual(JSON.parse(right.text), { ok: true });
  const wrong = await post('/hash/verify', JSON.stringify({ password: 'battery staple', hash: encoded }));
  t.is(wrong.status, 200);
  t.deepEqual(JSON.parse(wrong.text), { ok: false });
});

test('a password may have up to 1024 bytes', async (t) => {
  t.is((await post('/hash', 'x'.repeat(1024), 'text/plain')).status, 200);
  t.is((await post('/hash', 'x'.repeat(1025), 'text/plain')).status, 413);
  const verification = { password: 'ü'.repeat(513), hash: VECTORS[0].encoded };
  t.is((await post('/hash/verify', JSON.stringify(verification))).status, 413);
});

test('the response to a wrong body says what was expected', async (t) => {
  for (const [body, status, message] of [
    ['{', 400, /must be JSON/],
    ['null', 400, /password: expected a string/],
    ['{"password":1,"hash":""}', 400, /password: expected a string/],
    ['{"password":"x"}', 400, /hash: expected a string/],
    ['{"password":"","hash":"x"}', 400, /empty/],
    [`"${'x'.repeat(9000)}"`, 413, /at most 8192 bytes/],
  ] as const) {
    const response = await post('/hash/verify', body);
    t.is(response.status, status, body.slice(0, 40));
    t.regex(response.text, message);
  }
  t.is((await post('/hash', '', 'text/plain')).status, 400);
  t.is((await post('/hash/verify', '{}', 'text/plain')).status, 415);
});

test('a password that is not UTF-8 is refused, not replaced', async (t) => {
  const response = await ask(hash, { method: 'POST', path: '/hash', body: [Buffer.of(0x61, 0xff)] });
  t.is(response.status, 400);
  t.regex(response.text, /UTF-8/);
});
