import test from 'ava';
import fc from 'fast-check';
import { HostError } from '../../workers/exchange/errors.ts';
import { FlatFields } from '../../workers/fields/flat.ts';
import { ReceivedFields } from '../../workers/fields/received.ts';
import { isList, SINGLETONS } from '../../workers/fields/registry.ts';
import { contentLengthOf, flatten } from '../../workers/fields/sent.ts';
import type { FieldsInit } from '../../workers/gateway.ts';

const refused = { instanceOf: HostError, code: 'SLUICE_FIELD_INVALID' };

test('a received field is found whatever the case of its name, absent ones are undefined or empty', (t) => {
  const fields = new ReceivedFields(['accept', '*/*', 'cookie', 'a=1']);
  t.is(fields.get('Accept'), '*/*');
  t.is(fields.get('missing'), undefined);
  t.deepEqual(fields.all('missing'), []);
  t.true(fields.has('COOKIE'));
  t.false(fields.has('missing'));
  t.is(fields.size, 2);
  t.deepEqual(
    [...fields],
    [
      ['accept', '*/*'],
      ['cookie', 'a=1'],
    ],
  );
});

test('asking for the one value of a field that came twice is an error, all values come in order', (t) => {
  const fields = new ReceivedFields(['x', '1', 'y', '2', 'x', '3']);
  t.deepEqual(fields.all('x'), ['1', '3']);
  const error = t.throws(() => fields.get('x'), { instanceOf: HostError, code: 'SLUICE_FIELD_REPEATED' });
  t.regex(error?.message ?? '', /carries 2/);
  t.is(fields.get('y'), '2');
});

test('an empty value is a value', (t) => {
  const fields = new ReceivedFields(['x', '']);
  t.is(fields.get('x'), '');
  t.throws(() => new ReceivedFields(['x', '', 'x', '']).get('x'), { code: 'SLUICE_FIELD_REPEATED' });
});

test('objects, pairs and received fields are laid out flat with lower-case names', (t) => {
  t.deepEqual(flatten({ 'Content-Type': 'a/b', 'x-list': ['1', '2'], age: 5 }), [
    'content-type',
    'a/b',
    'x-list',
    '1',
    'x-list',
    '2',
    'age',
    '5',
  ]);
  t.deepEqual(
    flatten([
      ['A', '1'],
      ['a', '2'],
    ]),
    ['a', '1', 'a', '2'],
  );
  t.deepEqual(flatten(new ReceivedFields(['a', '1'])), ['a', '1']);
  t.deepEqual(flatten(new Map([['a', '1']])), ['a', '1']);
  t.deepEqual(flatten(undefined), []);
  t.deepEqual(flatten({}), []);
});

test('a name that is no token is refused', (t) => {
  for (const name of [
    '',
    ' ',
    'a b',
    'a:',
    ':status',
    'a\r\nb',
    'ä',
    'a\0',
    '(a)',
    'a"',
    'a,b',
    'a/b',
    '[a]',
  ]) {
    t.throws(() => flatten({ [name]: '1' }), refused, JSON.stringify(name));
  }
  t.notThrows(() => flatten({ "!#$%&'*+-.^_`|~0Z": '1' }));
});

test('a value that could end its line, or that no field can carry, is refused', (t) => {
  for (const value of ['a\r\nb: c', '\n', '\r', 'a\0b', ' a', 'a ', '\ta', 'a\t', '\x7f', '\x1b', 'Ā', '€']) {
    t.throws(() => flatten({ a: value }), refused, JSON.stringify(value));
  }
  for (const value of ['', 'a', 'a b', 'a\tb', 'a  b', '\xe4', '"q"', '~']) {
    t.deepEqual(flatten({ a: value }), ['a', value]);
  }
});

test('what is no value at all is refused instead of spelled out', (t) => {
  for (const value of [undefined, null, true, {}, [undefined], [null], new Date(0), Number.NaN]) {
    t.throws(
      () => flatten({ a: value } as unknown as FieldsInit),
      { instanceOf: HostError, code: 'SLUICE_VALUE_INVALID' },
      String(value),
    );
  }
});

test('what has no fields in it is refused, and nothing at all is none', (t) => {
  class Fields {}
  for (const none of [{}, Object.create(null), [], new Map(), new Fields(), new ReceivedFields([])]) {
    t.deepEqual(flatten(none as FieldsInit), []);
  }
  for (const other of [
    null,
    'a: b',
    5,
    Promise.resolve({}),
    new ArrayBuffer(2),
    new Date(0),
    /a/,
    () => ({}),
  ]) {
    t.throws(() => flatten(other as unknown as FieldsInit), { code: 'SLUICE_VALUE_INVALID' }, String(other));
  }
});

test('a message of a refusal shows little of what came', (t) => {
  const secret = `${'x'.repeat(5_000)}\n`;
  for (const fields of [{ a: secret }, { [secret]: 'a' }, [[secret, 'a']] as FieldsInit]) {
    const error = t.throws(() => flatten(fields), refused);
    t.true((error?.message ?? '').length < 400);
  }
});

test('fields that belong to the connection are refused', (t) => {
  for (const name of ['Connection', 'keep-alive', 'proxy-connection', 'Transfer-Encoding', 'upgrade']) {
    t.throws(() => flatten({ [name]: 'x' }), refused, name);
  }
});

test('property: whatever is accepted splits into the same lines again', (t) => {
  const anything = fc.string({
    unit: fc.constantFrom('a', 'B', 'c', ':', ' ', '\r', '\n', '\0', '\t', '\xe4', '€', '-'),
    maxLength: 4,
  });
  let accepted = 0;
  fc.assert(
    fc.property(anything, anything, (name, value) => {
      let flat: readonly string[];
      try {
        flat = flatten([[name, value]]);
      } catch {
        return;
      }
      accepted++;
      const line = `${flat[0]}: ${flat[1]}\r\n`;
      const lines = line.split(/\r\n|\r|\n|\0/);
      t.is(lines.length, 2);
      t.is(line.slice(0, line.indexOf(':')), name.toLowerCase());
      t.is(line.slice(line.indexOf(':') + 1, -2).trim(), value);
    }),
    { numRuns: 1000, includeErrorInReport: true },
  );
  t.true(accepted > 0);
});

test('a deeply frozen object is checked once, any other every time', (t) => {
  const frozen = Object.freeze({ a: '1', b: Object.freeze(['2']) });
  t.is(flatten(frozen), flatten(frozen));
  const list = ['2'];
  const shallow = Object.freeze({ a: list });
  t.deepEqual(flatten(shallow), ['a', '2']);
  list[0] = '3';
  t.deepEqual(flatten(shallow), ['a', '3']);
  let time = 0;
  const living = Object.freeze({
    get a() {
      return String(++time);
    },
  });
  t.deepEqual(
    [flatten(living), flatten(living)],
    [
      ['a', '1'],
      ['a', '2'],
    ],
  );
  const marked: { value: string; indexing: 'never' } = { value: '1', indexing: 'never' };
  const holding = Object.freeze({ a: Object.freeze([marked]) });
  t.is(flatten(holding)[1], '1');
  marked.value = '2';
  t.is(flatten(holding)[1], '2');
  const open = { a: '1' };
  t.deepEqual(flatten(open), ['a', '1']);
  open.a = '2';
  t.deepEqual(flatten(open), ['a', '2']);
  t.throws(() => (flatten(frozen) as string[]).push('x'), { instanceOf: TypeError });
});

test('a content-length is one decimal number', (t) => {
  t.is(contentLengthOf([]), -1);
  t.is(contentLengthOf(['a', '1', 'content-length', '0']), 0);
  t.is(contentLengthOf(['content-length', '123456789012345']), 123456789012345);
  for (const value of ['', '-1', '1.0', '1e3', '0x10', '1 2', '1,1', '1234567890123456']) {
    t.throws(() => contentLengthOf(['content-length', value]), refused, value);
  }
  t.throws(() => contentLengthOf(['content-length', '1', 'content-length', '2']), refused);
  t.throws(() => contentLengthOf(['content-length', '1', 'content-length', '1']), refused, 'the same twice');
});

test('a list field is read split, over all its lines and outside of quotes', (t) => {
  const fields = new ReceivedFields(['accept', 'a;q="1,\\",2", b', 'accept', ' ,c,, ', 'via', '"open, x']);
  t.deepEqual(fields.list('Accept'), ['a;q="1,\\",2"', 'b', 'c']);
  t.deepEqual(fields.list('via'), ['"open, x']);
  t.deepEqual(fields.list('absent'), []);
});

test('a list field is read joined, and set-cookie and cookie are not', (t) => {
  const fields = new ReceivedFields(['vary', 'a', 'vary', 'b', 'set-cookie', 'a=1', 'set-cookie', 'b=2']);
  t.is(fields.joined('Vary'), 'a, b');
  t.is(fields.joined('absent'), undefined);
  t.throws(() => fields.joined('set-cookie'), { code: 'SLUICE_FIELD_NOT_A_LIST' });
  t.throws(() => fields.list('set-cookie'), { code: 'SLUICE_FIELD_NOT_A_LIST' });
  t.deepEqual(fields.all('set-cookie'), ['a=1', 'b=2']);
});

test('a singleton that came twice is refused however it is asked for', (t) => {
  const fields = new ReceivedFields(['content-type', 'text/plain', 'content-type', 'text/html']);
  for (const read of ['get', 'all', 'joined'] as const) {
    t.throws(() => fields[read]('content-type'), { code: 'SLUICE_FIELD_REPEATED' }, read);
  }
  t.throws(() => fields.list('content-type'), { code: 'SLUICE_FIELD_NOT_A_LIST' });
  t.true(fields.has('content-type'));
});

test('a singleton is not sent twice, in whatever form it is given', (t) => {
  const forms: readonly FieldsInit[] = [
    { location: ['/a', '/b'] },
    { Location: '/a', location: '/b' },
    [
      ['location', '/a'],
      ['LOCATION', '/a'],
    ],
  ];
  for (const form of forms) t.throws(() => flatten(form), { code: 'SLUICE_FIELD_REPEATED' });
  t.deepEqual(flatten({ vary: ['a', 'b'] }), ['vary', 'a', 'vary', 'b']);
});

test('every singleton of the registry is refused a second time, in and out, and is no list', (t) => {
  t.true(SINGLETONS.size > 70);
  for (const name of SINGLETONS) {
    t.is(name, name.toLowerCase());
    t.is(new ReceivedFields([name, '1']).get(name), '1');
    const twice = new ReceivedFields([name, '1', name, '1']);
    t.throws(() => twice.get(name), { code: 'SLUICE_FIELD_REPEATED' }, name);
    t.throws(() => flatten({ [name]: ['1', '1'] }), { code: 'SLUICE_FIELD_REPEATED' }, name);
    t.false(isList(name));
  }
});

for (const [document, names] of Object.entries({
  'RFC 9110': [
    ...['accept', 'accept-charset', 'accept-encoding', 'accept-language', 'accept-ranges', 'allow'],
    ...['authentication-info', 'content-encoding', 'content-language', 'expect', 'if-match', 'if-none-match'],
    ...['proxy-authenticate', 'proxy-authentication-info', 'vary', 'via'],
    'www-authenticate',
  ],
  'RFC 9111': ['cache-control', 'pragma', 'warning'],
  others: [
    ...[
      'accept-ch',
      'accept-patch',
      'accept-post',
      'access-control-allow-headers',
      'alt-svc',
      'cache-status',
    ],
    ...['access-control-allow-methods', 'access-control-expose-headers', 'access-control-request-headers'],
    ...[
      'cdn-cache-control',
      'content-digest',
      'content-security-policy',
      'dav',
      'forwarded',
      'link',
      'prefer',
    ],
    ...['preference-applied', 'priority', 'proxy-status', 'referrer-policy', 'repr-digest', 'signature'],
    ...['sec-websocket-extensions', 'sec-websocket-protocol', 'sec-websocket-version', 'server-timing'],
    ...['signature-input', 'timing-allow-origin', 'tracestate', 'use-as-dictionary', 'x-forwarded-for'],
  ],
})) {
  test(`list fields of ${document} may come and go in several lines`, (t) => {
    for (const name of names) {
      t.true(isList(name), name);
      t.is(new ReceivedFields([name, 'a', name, 'b']).joined(name), 'a, b', name);
      t.deepEqual(flatten({ [name]: ['a', 'b'] }), [name, 'a', name, 'b'], name);
    }
  });
}

test('fields that are flat already give back what they were made of, marks included', (t) => {
  const given: FieldsInit = [
    ['x-plain', '1'],
    ['set-cookie', { value: 'secret', indexing: 'never' }],
    ['x-again', { value: '2', indexing: 'prefer' }],
  ];
  const flat = new FlatFields(flatten(given));
  t.deepEqual([...flat] as unknown, given);
  t.deepEqual(flatten([...flat]), flat.flat);
});
