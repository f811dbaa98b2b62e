import test from 'ava';
import fc from 'fast-check';
import { MAX_WINDOW_BYTES, Window } from '../../wire/window.ts';

test('a window offers what it was given, less what was consumed, plus what was granted', (t) => {
  const window = new Window(65_535);
  window.consume(65_000);
  t.is(window.available, 535);
  t.true(window.grant(1_000));
  t.is(window.available, 1_535);
});

test('a grant past 2^31-1 is refused and changes nothing (RFC 9113 section 6.9.1)', (t) => {
  const window = new Window(1);
  t.true(window.grant(MAX_WINDOW_BYTES - 1));
  t.is(window.available, MAX_WINDOW_BYTES);
  t.false(window.grant(1));
  t.is(window.available, MAX_WINDOW_BYTES);
});

test('a settings change may make a window negative and later grants lift it again (RFC 9113 section 6.9.2)', (t) => {
  const window = new Window(65_535);
  window.consume(60_000);
  t.true(window.adjust(16_384 - 65_535));
  t.is(window.available, 16_384 - 60_000);
  t.true(window.grant(50_000));
  t.is(window.available, 6_384);
});

test('a settings change past 2^31-1 is refused and changes nothing (RFC 9113 section 6.9.2)', (t) => {
  const window = new Window(MAX_WINDOW_BYTES - 10);
  t.false(window.adjust(11));
  t.is(window.available, MAX_WINDOW_BYTES - 10);
  t.true(window.adjust(10));
});

test('any sequence of grants, changes and uses keeps the window exact and within its bound', (t) => {
  const step = fc.tuple(
    fc.constantFrom('grant', 'adjust', 'consume'),
    fc.integer({ min: 0, max: MAX_WINDOW_BYTES }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_WINDOW_BYTES }), fc.array(step), (initial, steps) => {
      const window = new Window(initial);
      let model = initial;
      for (const [what, n] of steps) {
        if (what === 'consume') {
          const take = Math.min(n, Math.max(0, model));
          window.consume(take);
          model -= take;
        } else {
          const delta = what === 'adjust' && n % 2 === 1 ? -n : n;
          const fits = model + delta <= MAX_WINDOW_BYTES;
          if ((what === 'adjust' ? window.adjust(delta) : window.grant(delta)) !== fits) return false;
          if (fits) model += delta;
        }
        if (window.available !== model || model > MAX_WINDOW_BYTES) return false;
      }
      return true;
    }),
  );
  t.pass();
});
