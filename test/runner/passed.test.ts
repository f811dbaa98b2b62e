import test from 'ava';
import { withoutPassed } from './passed.ts';

const OUTPUT = `
  ✔ wire › ring › a record wraps
\u001b[31m  ✘ [fail]: wire › ring › a record fits\u001b[39m

  ✔ wire › ring › a full ring says so (1.2s)

  ─

  wire › ring › a record fits

  Difference (- actual, + expected):

  ─

  1 test failed
`;

const SHOWN = `\u001b[31m  ✘ [fail]: wire › ring › a record fits\u001b[39m

  ─

  wire › ring › a record fits

  Difference (- actual, + expected):

  ─

  1 test failed
`;

test('failures, their reasons and the summary stay, and tests that passed go', (t) => {
  t.is(withoutPassed()(OUTPUT), SHOWN);
});

test('it does not matter how the output is cut', (t) => {
  const show = withoutPassed();
  t.is([...OUTPUT].map((character) => show(character)).join(''), SHOWN);
});

test('a run without failures shows its summary alone', (t) => {
  t.is(withoutPassed()('\n  ✔ a\n  ✔ b\n  ─\n\n  2 tests passed\n'), '  ─\n\n  2 tests passed\n');
});
