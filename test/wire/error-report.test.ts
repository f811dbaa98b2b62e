import test from 'ava';
import fc from 'fast-check';
import { cut, describeError, type ErrorReport, MAX_ERRORS, MAX_NAME_CHARS } from '../../wire/error-report.ts';
import { thrownValues } from '../faults/thrown-values.ts';

function all(report: ErrorReport): ErrorReport[] {
  const inner = [...(report.cause ? [report.cause] : []), ...(report.errors ?? [])];
  return [report, ...inner.flatMap(all)];
}

for (const [name, make] of Object.entries(thrownValues)) {
  test(`a report of anything is plain, bounded and stays the same when it is reported again: ${name}`, (t) => {
    const report = describeError(make(), 500);
    t.deepEqual(structuredClone(report), report);
    t.deepEqual(describeError(report, 500), report);
    t.true(all(report).length <= MAX_ERRORS);
    for (const { message, stack } of all(report)) {
      t.true(message.length > 0 && message.length <= 500);
      t.true(stack.length <= 500);
    }
  });
}

test('an error is reported with its name, message, stack, code, causes and those that it aggregates', (t) => {
  const cause = new RangeError('inner', { cause: 'innermost' });
  const error = Object.assign(new AggregateError([new TypeError('one'), 2], 'outer', { cause }), {
    code: 'E_X',
  });
  t.deepEqual(describeError(error), {
    name: 'AggregateError',
    message: 'outer',
    stack: error.stack as string,
    code: 'E_X',
    cause: {
      name: 'RangeError',
      message: 'inner',
      stack: cause.stack as string,
      cause: { name: 'Error', message: 'not an Error: innermost', stack: '' },
    },
    errors: [
      { name: 'TypeError', message: 'one', stack: (error.errors[0] as Error).stack as string },
      { name: 'Error', message: 'not an Error: 2', stack: '' },
    ],
  });
});

test('names and codes have their own limit', (t) => {
  const long = 'n'.repeat(10_000);
  const { name, code = '' } = describeError(Object.assign(new Error('x'), { name: long, code: long }));
  t.is(name.length, MAX_NAME_CHARS);
  t.is(code.length, MAX_NAME_CHARS);
});

test('a stack that is too long loses its message before its frames', (t) => {
  const error = new Error('m'.repeat(10_000));
  const { stack } = describeError(error, 1_000);
  t.is(stack.length <= 1_000, true);
  t.regex(stack, /^Error: m+… \(10000 characters\)\n +at .*error-report\.test/);
});

test('a stack that does not begin with the message is cut at its end', (t) => {
  const error = Object.assign(new Error('m'.repeat(10_000)), { stack: 's'.repeat(10_000) });
  t.is(describeError(error, 100).stack, cut('s'.repeat(10_000), 100));
});

test('errors beyond the limit of one report are left out', (t) => {
  const errors = Array.from({ length: 1_000 }, (_, index) => new Error(String(index)));
  const report = describeError(new AggregateError(errors, 'many'));
  t.is(report.errors?.length, MAX_ERRORS - 1);
});

test('a cut text has the requested length and says how long it was', (t) => {
  t.is(cut('abc', 3), 'abc');
  t.is(cut('x'.repeat(100), 50).length, 50);
  t.true(cut('x'.repeat(100), 50).endsWith('x… (100 characters)'));
});

test('values of any shape are described', (t) => {
  fc.assert(
    fc.property(
      fc.anything({ withNullPrototype: true, withBigInt: true, withSparseArray: true }),
      (value) => {
        const report = describeError(value, 300);
        t.deepEqual(describeError(structuredClone(report), 300), report);
      },
    ),
  );
  t.pass();
});

test('an object with many properties, a Proxy or a boxed text is named and not shown', (t) => {
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`key${index}`, index]));
  const { key0: _, ...fewer } = many;
  const tooLarge = 'not an Error: an object that is too large to be shown';
  for (const thrown of [many, new Proxy({}, {}), Object('x'), Array(65).fill(0)]) {
    t.is(describeError(thrown).message, tooLarge);
  }
  t.regex(describeError(fewer).message, /key64: 64/);
  t.regex(describeError({ many }).message, /many: \[Object\]/);
});

test('a bigint of thousands of digits is named and not shown, wherever the thrown value holds it', (t) => {
  const huge = 1n << 4_097n;
  const withTag = Object.assign(() => {}, { huge });
  for (const value of [huge, -huge]) {
    t.is(describeError(value).message, 'not an Error: a bigint that is too large to be shown');
    t.is(describeError(new Error('x', { cause: value })).cause?.message, describeError(value).message);
  }
  for (const value of [
    { huge },
    [huge],
    { [Symbol('s')]: huge },
    new Map([[huge, 1]]),
    new Map([[1, huge]]),
    new Set([huge]),
  ]) {
    t.is(describeError(value).message, 'not an Error: an object that is too large to be shown');
  }
  t.is(describeError(withTag).message, 'not an Error: a function that is too large to be shown');
  t.is(
    describeError(Object.assign(new Error(), { message: huge })).message,
    'a bigint that is too large to be shown',
  );
  t.is(describeError(1n << 100n).message, `not an Error: ${1n << 100n}n`);
  const getter = {
    get huge(): bigint {
      throw new Error('called');
    },
  };
  t.is(describeError(getter).message, 'not an Error: { huge: [Getter] }');
  const behind = new Set<unknown>([...Array(16).keys(), huge]);
  t.regex(describeError(behind).message, /1 more item/);
});
