import test from 'ava';
import { affinityKeyOf, parseAffinity } from '../../runtime/exchange/affinity.ts';

test('a field names its own value, whatever the case that the configuration has it in', (t) => {
  const affinity = parseAffinity('X-Tenant');
  t.is(affinityKeyOf(affinity, ['accept', '*/*', 'x-tenant', 'one']), 'one');
  t.is(affinityKeyOf(affinity, ['x-tenants', 'one']), '');
  t.is(affinityKeyOf(affinity, []), '');
});

test('a cookie is found by its whole name, in any field line; the first one counts', (t) => {
  const affinity = parseAffinity('cookie:sid');
  t.is(affinityKeyOf(affinity, ['cookie', 'a=1; sid=x; sid=y']), 'x');
  t.is(affinityKeyOf(affinity, ['cookie', 'xsid=1;sid=two']), 'two');
  t.is(affinityKeyOf(affinity, ['cookie', 'sidney=1; asid=2']), '');
  t.is(affinityKeyOf(affinity, ['cookie', 'a=1', 'cookie', 'sid=z=1']), 'z=1');
  t.is(affinityKeyOf(affinity, ['sid', 'x']), '');
  t.is(affinityKeyOf(parseAffinity('cookie:SID'), ['cookie', 'sid=x']), '', 'names of cookies have a case');
});
