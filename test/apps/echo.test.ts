import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import echo from '../../apps/echo/app.ts';
import { ask, MemoryExchange } from './memory-exchange.ts';

function digestOf(bytes: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;
}

test('any bytes, split anywhere, come back unchanged, with their count and digest', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 })), async (pieces) => {
      const response = await ask(echo, { method: 'POST', path: '/echo', body: pieces });
      const sent = Buffer.concat(pieces);
      t.deepEqual(Buffer.from(response.bytes), sent);
      t.is(response.pieces, pieces.length);
      t.is(response.trailers.get('echo-bytes'), String(sent.length));
      t.is(response.trailers.get('content-digest'), digestOf(sent));
    }),
    { numRuns: 50 },
  );
});

test('the first piece is echoed before the second has been sent', async (t) => {
  const sent: Uint8Array[] = [];
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('first');
    // The second read: the first piece must have been sent by now.
    t.is(Buffer.concat(sent).toString(), 'first');
    yield Buffer.from('second');
  }
  const exchange = new MemoryExchange({ method: 'POST', path: '/echo', body: body() }, sent);
  await echo(exchange);
  t.is(exchange.response().text, 'firstsecond');
});

test('request trailers come back, except those that frame a message or that the application sets itself', async (t) => {
  const { trailers } = await ask(echo, {
    method: 'POST',
    path: '/echo',
    body: 'x',
    trailers: { 'x-sum': '12', 'content-length': '9', 'echo-bytes': '999', 'set-cookie': 'a=b' },
  });
  t.deepEqual(
    [...trailers].map(([name]) => name),
    ['echo-bytes', 'content-digest', 'x-sum'],
  );
  t.is(trailers.get('echo-bytes'), '1');
});

test('the echo never has a type that a browser would run', async (t) => {
  const { fields } = await ask(echo, {
    method: 'POST',
    path: '/echo',
    fields: { 'content-type': 'text/html' },
    body: '<script>alert(1)</script>',
  });
  t.is(fields.get('content-type'), 'application/octet-stream');
  t.is(fields.get('x-content-type-options'), 'nosniff');
});
