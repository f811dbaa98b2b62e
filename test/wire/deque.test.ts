import test from 'ava';
import fc from 'fast-check';
import { Deque } from '../../wire/deque.ts';

test('a deque returns what a list would, in any sequence of pushes and takes', (t) => {
  const step = fc.oneof(
    { arbitrary: fc.constant('push'), weight: 6 },
    { arbitrary: fc.constant('shift'), weight: 4 },
    { arbitrary: fc.constant('clear'), weight: 1 },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const deque = new Deque<number>();
      let list: number[] = [];
      for (const [n, each] of steps.entries()) {
        if (each === 'push') {
          deque.push(n);
          list.push(n);
        } else if (each === 'shift') {
          if (deque.shift() !== list.shift()) return false;
        } else {
          deque.clear();
          list = [];
        }
        if (deque.length !== list.length || deque.first !== list[0]) return false;
      }
      return true;
    }),
  );
  t.pass();
});
