/** What no line shows. */
import test from 'ava';
import fc from 'fast-check';
import { REDACTED, Redaction } from '../../wire/redaction.ts';

const redaction = new Redaction(['Token', 'api_key']);

test('parameters of a query lose their values by their names, in any case and spelled in octets', (t) => {
  t.is(redaction.query('a=1&TOKEN=x&api_key=&b=token'), `a=1&TOKEN=${REDACTED}&api_key=${REDACTED}&b=token`);
  t.is(redaction.query('http://h/p?to%6ben=x=y&token'), `http://h/p?to%6ben=${REDACTED}&token`);
  t.is(redaction.query('%zz=1&token=x'), `%zz=1&token=${REDACTED}`);
  t.is(redaction.query('/token=/path'), '/token=/path');
  t.is(new Redaction([]).query('token=x'), 'token=x');
});

test('of any query nothing but those values changes', (t) => {
  const name = fc.constantFrom('token', 'TOKEN', 'a', 'tokens', '');
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.stringMatching(/^[a-z0-9=]*$/))), (pairs) => {
      const text = (hide: boolean) =>
        pairs
          .map(([key, value]) => `${key}=${hide && key.toLowerCase() === 'token' ? REDACTED : value}`)
          .join('&');
      t.is(redaction.query(text(false)), text(true));
    }),
  );
});

test('members lose them at any depth that a person would write, and deeper nesting costs nothing', (t) => {
  const value = { token: { a: 1 }, list: [{ Api_Key: 'x' }, 'token'], other: 'token' };
  t.true(redaction.members(value));
  t.deepEqual(value as unknown, { token: REDACTED, list: [{ Api_Key: REDACTED }, 'token'], other: 'token' });
  t.false(redaction.members({ a: ['b', 1, null] }));
  t.false(redaction.members(null));
  const nestedIn = (objects: number): object => {
    let nested: object = { token: 1 };
    for (let level = 0; level < objects; level++) nested = { nested };
    return nested;
  };
  t.true(redaction.members(nestedIn(15)));
  t.false(redaction.members(nestedIn(16)));
  t.false(redaction.members(nestedIn(100_000)));
});
