import test from 'ava';
import * as fc from 'fast-check';
import { addressKey, ConnectionLimits } from '../../runtime/server/limits.ts';

test('connections are admitted up to the limit, and one more when one has closed', (t) => {
  const limits = new ConnectionLimits({ maxConnections: 2, maxConnectionsPerAddress: 0 });
  t.deepEqual([limits.open(), limits.open(), limits.open()], [true, true, false]);
  limits.close();
  t.deepEqual([limits.open(), limits.open()], [true, false]);
  t.is(limits.openConnections, 2);
});

test('each address has a limit of its own', (t) => {
  const limits = new ConnectionLimits({ maxConnections: 100, maxConnectionsPerAddress: 2 });
  const open = (address: string) => limits.openFrom(address);
  t.deepEqual([open('192.0.2.1'), open('192.0.2.1'), open('192.0.2.1')], [true, true, false]);
  t.true(open('192.0.2.2'));
  limits.closeFrom('192.0.2.1');
  t.deepEqual([open('192.0.2.1'), open('192.0.2.1')], [true, false]);
});

test('connections without an address are not counted by address, and 0 means no limit', (t) => {
  const limits = new ConnectionLimits({ maxConnections: 100, maxConnectionsPerAddress: 1 });
  const none = new ConnectionLimits({ maxConnections: 100, maxConnectionsPerAddress: 0 });
  for (let n = 0; n < 5; n++) {
    t.true(limits.openFrom(''));
    t.true(none.openFrom('192.0.2.1'));
  }
});

for (const [address, key] of [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:1:2:3::', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4::/64'],
] as const) {
  test(`${address} counts for ${key}`, (t) => t.is(addressKey(address), key));
}

test('two IPv6 addresses count as one if and only if their first 64 bits are the same, however they are written', (t) => {
  const group = fc.nat(0xffff);
  const groups = fc.array(group, { minLength: 8, maxLength: 8 });
  /** Shortens an address at its first group of zeros, or leaves it. */
  const written = (parts: readonly number[], shorten: boolean): string => {
    const texts = parts.map((part) => part.toString(16));
    const zero = parts.indexOf(0);
    if (!shorten || zero === -1) return texts.join(':');
    return `${texts.slice(0, zero).join(':')}::${texts.slice(zero + 1).join(':')}`;
  };
  fc.assert(
    fc.property(groups, groups, fc.boolean(), fc.boolean(), fc.boolean(), (one, other, same, a, b) => {
      const second = same ? [...one.slice(0, 4), ...other.slice(4)] : other;
      const equal = one.slice(0, 4).join() === second.slice(0, 4).join();
      t.is(addressKey(written(one, a)) === addressKey(written(second, b)), equal);
    }),
  );
});

test('an address is forgotten when its last connection has closed, after any number of connections', (t) => {
  const limits = new ConnectionLimits({ maxConnections: 10, maxConnectionsPerAddress: 3 });
  for (let n = 0; n < 1_000; n++) {
    t.true(limits.open());
    t.true(limits.openFrom(`2001:db8::${n.toString(16)}`));
    limits.closeFrom(`2001:db8::${n.toString(16)}`);
    limits.close();
  }
  t.is(limits.openConnections, 0);
  for (let n = 0; n < 3; n++) t.true(limits.openFrom('2001:db8::1'));
});
