import test from 'ava';
import fc from 'fast-check';
import { childPath, JsonSyntaxError, parseJson } from '../../runtime/config/json-source.ts';

/** `JSON.parse`'s value, or undefined where it throws. */
function reference(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function read(text: string): { value: unknown } | undefined {
  try {
    return { value: parseJson(text).value };
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}

function syntaxError(text: string): JsonSyntaxError {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return error;
  }
  throw new Error(`no syntax error in ${text}`);
}

test('any JSON value comes out as JSON.parse reads it, however it is indented', (t) => {
  const indents = fc.constantFrom(undefined, 1, 4, '\t');
  const property = fc.property(fc.json({ maxDepth: 6 }), indents, (compact, indent) => {
    const text = JSON.stringify(JSON.parse(compact), null, indent);
    t.deepEqual(read(text), reference(text));
  });
  fc.assert(property, { numRuns: 300 });
  t.pass();
});

test('a text is accepted exactly when JSON.parse accepts it', (t) => {
  const pieces = '{}[]:,"\\ \n\t-+.eE01au/#ntrfls\u0000\u00e9'.split('');
  const noise = fc.string({
    unit: fc.constantFrom(...pieces, 'true', 'null', '"a"', '\\u00', '\\u00e9'),
    maxLength: 12,
  });
  const damaged = fc
    .tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.nat(3), noise)
    .map(([text, at, removed, inserted]) => {
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + inserted + text.slice(cut + removed);
    });
  const property = fc.property(fc.oneof(noise, damaged), (text) => {
    const expected = reference(text);
    const actual = read(text);
    if (expected === undefined) return actual === undefined;
    return actual !== undefined && JSON.stringify(actual) === JSON.stringify(expected);
  });
  fc.assert(property, { numRuns: 3_000 });
  t.pass();
});

test('every value knows its line and column', (t) => {
  const source = parseJson('{\n  "pools": {\n    "a b": [1, {"x": null}]\r\n  }, "é": true\n}');
  t.deepEqual(source.placeOf('$'), { line: 1, column: 1 });
  t.deepEqual(source.placeOf('$.pools'), { line: 2, column: 12 });
  t.deepEqual(source.placeOf('$.pools["a b"]'), { line: 3, column: 12 });
  t.deepEqual(source.placeOf('$.pools["a b"][0]'), { line: 3, column: 13 });
  t.deepEqual(source.placeOf('$.pools["a b"][1].x'), { line: 3, column: 22 });
  t.deepEqual(source.placeOf('$["é"]'), { line: 4, column: 11 });
  t.is(source.placeOf('$.nowhere'), undefined);
});

test('a key that stands twice in one object is reported, and the same key in two objects is not', (t) => {
  const { duplicates } = parseJson('{"a": {"x": 1}, "b": {"x": 1},\n "a": 2, "a": 3}');
  t.deepEqual(duplicates, [
    { path: '$.a', place: { line: 2, column: 2 } },
    { path: '$.a', place: { line: 2, column: 10 } },
  ]);
});

test('the key __proto__ is a key and changes no prototype', (t) => {
  const { value } = parseJson('{"__proto__": {"polluted": true}}');
  t.true(Object.hasOwn(value as object, '__proto__'));
  t.is((value as { polluted?: boolean }).polluted, undefined);
});

const mistakes: readonly [
  name: string,
  text: string,
  line: number,
  column: number,
  expected: string,
  received: string,
][] = [
  ['an empty file', '', 1, 1, 'a value', 'the end of the file'],
  ['a missing brace', '{"a": 1', 1, 8, '"," or "}"', 'the end of the file'],
  ['a missing comma', '{"a": 1\n "b": 2}', 2, 2, '"," or "}"', '"\\""'],
  [
    'a trailing comma in an object',
    '{"a": 1,\n}',
    2,
    1,
    'a property name in double quotes',
    '"}" after a comma',
  ],
  ['a trailing comma in an array', '[1, ]', 1, 5, 'a value', '"]" after a comma'],
  ['a name without quotes', '{a: 1}', 1, 2, 'a property name in double quotes', '"a"'],
  ['a missing colon', '{"a" 1}', 1, 6, '":" after the property name', '"1"'],
  ['a comment', '{\n  // why\n}', 2, 3, 'a property name in double quotes', '"/" (JSON has no comments)'],
  ['single quotes', "['a']", 1, 2, 'a value', '"\'"'],
  ['an unknown word', '[undefined]', 1, 2, 'a value', '"undefined"'],
  ['a second value', '{} {}', 1, 4, 'the end of the file after the value', '"{"'],
  ['an open string', '{"a": "b}', 1, 7, 'a string that ends', 'a string without its closing quote'],
  [
    'a line break in a string',
    '["a\nb"]',
    1,
    2,
    'a string with its control characters and backslashes escaped',
    'a line break, a control character or an unknown escape in the string',
  ],
];

for (const [name, text, line, column, expected, received] of mistakes) {
  test(`a syntax error says where it is and what was expected: ${name}`, (t) => {
    const error = syntaxError(text);
    t.deepEqual(error.place, { line, column });
    t.is(error.expected, expected);
    t.is(error.received, received);
  });
}

test('64 levels of nesting are read and 65 are a syntax error, not an overflow of the stack', (t) => {
  t.notThrows(() => parseJson('['.repeat(64) + ']'.repeat(64)));
  t.is(syntaxError('['.repeat(65)).expected, 'at most 64 levels of nesting');
  t.is(syntaxError('['.repeat(1_000_000)).expected, 'at most 64 levels of nesting');
});

test('paths quote what is no plain name', (t) => {
  t.is(childPath('$', 'a-b_1'), '$.a-b_1');
  t.is(childPath('$', '1a'), '$["1a"]');
  t.is(childPath('$', 'a"b'), '$["a\\"b"]');
  t.is(childPath('$.routes', 0), '$.routes[0]');
});
