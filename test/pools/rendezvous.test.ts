import test from 'ava';
import { rendezvousScore } from '../../runtime/pools/rendezvous.ts';

function winner(key: string, members: readonly string[]): string {
  return members.reduce((best, member) =>
    rendezvousScore(key, member) > rendezvousScore(key, best) ? member : best,
  );
}

const keys = Array.from({ length: 4_000 }, (_, index) => `user-${index}`);

test('keys spread over members whose names hardly differ', (t) => {
  const members = ['pool-1', 'pool-2', 'pool-3', 'pool-4'];
  for (const member of members) {
    const own = keys.filter((key) => winner(key, members) === member).length;
    t.true(own > 850 && own < 1_150, `${member}: ${own}`);
  }
});

test('a member that goes moves its own keys and no others', (t) => {
  const members = ['pool-1', 'pool-2', 'pool-3', 'pool-4'];
  const fewer = members.filter((member) => member !== 'pool-2');
  for (const key of keys) {
    const before = winner(key, members);
    if (before !== 'pool-2') t.is(winner(key, fewer), before);
  }
});
