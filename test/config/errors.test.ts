/** How values and paths from outside stand in messages. */
import test from 'ava';
import { describePath, describeValue } from '../../runtime/config/errors.ts';
import { findMissingApplications, parseConfig } from '../../runtime/config/load.ts';

test('a long value is shown with both ends and its length', (t) => {
  t.is(describeValue('x'.repeat(60)), `"${'x'.repeat(60)}"`);
  t.is(
    describeValue(`begin${'x'.repeat(100)}end`),
    `"begin${'x'.repeat(25)}…${'x'.repeat(27)}end" (108 characters)`,
  );
  t.is(
    describeValue('"\n'.repeat(40)),
    `${JSON.stringify(`${'"\n'.repeat(15)}…${'"\n'.repeat(15)}`)} (80 characters)`,
  );
  t.false(describeValue('😀'.repeat(1_000)).includes('\n'));
});

test('a path is shown whole as long as the system could open it', (t) => {
  const path = `/${'directory/'.repeat(400)}file`;
  t.is(describePath(path), JSON.stringify(path));
  t.true(describePath('x'.repeat(1_000_000)).length < 5_000);
});

test('two files that are missing in one long directory are told apart', (t) => {
  const long = `/srv/${'a long directory/'.repeat(20)}`;
  const pools = { one: { application: `${long}one.ts` }, two: { application: `${long}two.ts` } };
  const routes = [
    { path: '/1/*', static: { root: `${long}first` } },
    { path: '/2/*', static: { root: `${long}second` } },
    { path: '/*', pool: 'one' },
    { path: '/two', pool: 'two' },
  ];
  const config = parseConfig(JSON.stringify({ pools, routes }), '/srv/runtime.config.json');
  t.deepEqual(
    findMissingApplications(config)
      .map(({ received }) => received)
      .sort(),
    ['first', 'one.ts', 'second', 'two.ts'].map((name) => JSON.stringify(long + name)),
  );
});
