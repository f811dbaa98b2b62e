import test from 'ava';
import { particularsOf } from '../../runtime/exchange/request-head.ts';

test('people are told at most 256 characters of what a peer has chosen, and never the query', (t) => {
  const head = { method: 'M'.repeat(300), path: `/${'a'.repeat(300)}?secret`, fields: [], requestId: '' };
  const { method, path } = particularsOf(head, '/*');
  t.is(method, 'M'.repeat(256));
  t.is(path, `/${'a'.repeat(255)}`);
  t.is(particularsOf({ ...head, path: '/a?secret' }, '/*').path, '/a');
});
