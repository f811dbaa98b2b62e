/** Heads that are known again before they are laid out are the heads that would be laid out, with what they say of their length. */
import { ServerResponse } from 'node:http';
import test from 'ava';
import fc from 'fast-check';
import { KnownHeads } from '../../../workers/adapters/node/known-heads.ts';
import { writtenHead } from '../../../workers/adapters/node/response-head.ts';
import { RepeatedFields } from '../../../workers/adapters/repeated-fields.ts';

const response = (): ServerResponse & { _contentLength: number | null; _removedContLen: boolean } =>
  new ServerResponse({ method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1 } as never) as never;

interface LaidOut {
  readonly flat: readonly string[];
  readonly contentLength: number | null;
  readonly shouldKeepAlive: boolean;
  readonly isFramed: boolean;
}

function laidOut(headers: unknown): LaidOut {
  const res = response();
  const settings = { isFramed: false, uniqueHeaders: null };
  const flat = writtenHead(res, settings, headers);
  return {
    flat,
    contentLength: res._contentLength,
    shouldKeepAlive: res.shouldKeepAlive,
    isFramed: settings.isFramed,
  };
}

/** As a response stores its head. */
function stored(heads: KnownHeads, headers: unknown): LaidOut {
  const known = heads.find(headers);
  if (known !== null) {
    const { fields, contentLength } = known;
    return { flat: fields.flat, contentLength, shouldKeepAlive: true, isFramed: false };
  }
  const made = laidOut(headers);
  const fields = heads.fieldsOf(made.flat);
  if (fields !== null) heads.note(headers, fields);
  return made;
}

test('a head that comes again is known from its third time on', (t) => {
  const heads = new KnownHeads(new RepeatedFields());
  const head = () => ({ 'Content-Type': 'text/plain', 'content-length': 13 });
  for (let n = 0; n < 2; n++) {
    t.is(heads.find(head()), null);
    stored(heads, head());
  }
  t.deepEqual(heads.find(head())?.fields.flat, ['content-type', 'text/plain', 'content-length', '13']);
  t.is(heads.find(head())?.contentLength, 13);
  t.is(heads.find(Object.create(head())), null, 'Node sends own members only');
});

test('whatever heads come in whatever order, each is what it is without memory', (t) => {
  const name = fc.constantFrom(
    'x-a',
    'X-A',
    'x-b',
    'Content-Length',
    'connection',
    'Transfer-Encoding',
    'link',
  );
  const value = fc.constantFrom<unknown>('', 'a', ' a', '13', 13, 'close', ['a', 'b'], ['a']);
  const members = fc.array(fc.tuple(name, value), { maxLength: 3 });
  const prototype = fc.constantFrom<object | null>(Object.prototype, null, { 'x-a': 'a' });
  const head = fc
    .tuple(members, prototype)
    .map(([pairs, proto]) => Object.assign(Object.create(proto), Object.fromEntries(pairs)));
  const any = fc.oneof(head, fc.constantFrom<unknown>(undefined, ['x-a', 'a'], [['x-a', 'a']]));
  fc.assert(
    fc.property(fc.array(any, { minLength: 1, maxLength: 20 }), (list) => {
      const heads = new KnownHeads(new RepeatedFields());
      for (const headers of [...list, ...list, ...list])
        t.deepEqual(stored(heads, headers), laidOut(headers));
    }),
  );
});

test('what may become a push is not known again', (t) => {
  const heads = new KnownHeads(new RepeatedFields());
  for (const link of [{ link: '</a.css>; rel=preload' }, { 'X-Associated-Content': '"/a.css"' }]) {
    for (let n = 0; n < 4; n++) {
      t.is(heads.find(link), null);
      t.is(heads.fieldsOf(laidOut(link).flat), null);
    }
  }
});

test('a value that Node refuses is refused each time, also behind a good one', (t) => {
  const bad = { code: 'ERR_INVALID_CHAR' };
  for (let n = 0; n < 3; n++) {
    t.deepEqual(laidOut({ 'x-checked': 'good' }).flat, ['x-checked', 'good']);
    t.throws(() => laidOut({ 'x-checked': 'b\nd' }), bad);
    t.throws(() => laidOut({ 'x-checked': undefined }), { code: 'ERR_HTTP_INVALID_HEADER_VALUE' });
    t.throws(() => laidOut({ 'x checked': 'good' }), { code: 'ERR_INVALID_HTTP_TOKEN' });
    t.throws(() => laidOut(['x-checked']), { code: 'ERR_INVALID_ARG_VALUE' });
    t.deepEqual(laidOut({ 'x-checked': '\tspaced ' }).flat, ['x-checked', 'spaced']);
  }
});

test('of more names than the 256 that are remembered, and of values of more than 256 characters, each is checked each time', (t) => {
  const names = Array.from({ length: 300 }, (_, n) => `X-Many-${n}`);
  const long = 'v'.repeat(257);
  for (let n = 0; n < 2; n++) {
    for (const name of names) t.deepEqual(laidOut({ [name]: 'good' }).flat, [name.toLowerCase(), 'good']);
    t.throws(() => laidOut({ [names[299] as string]: 'b\nd' }), { code: 'ERR_INVALID_CHAR' });
    t.throws(() => laidOut({ 'X-Many 300': 'good' }), { code: 'ERR_INVALID_HTTP_TOKEN' });
    t.deepEqual(laidOut({ 'x-long': long }).flat, ['x-long', long]);
    t.throws(() => laidOut({ 'x-long': `${long}\n` }), { code: 'ERR_INVALID_CHAR' });
  }
});
