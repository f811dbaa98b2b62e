/** What the notification service keeps, with a clock of the test's own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  MAX_MESSAGES_PER_SUBSCRIPTION,
  MAX_TTL_S,
  SUBSCRIPTION_S,
  TRANSIENT_S,
} from '../../../apps/notify/limits.ts';
import { type NewMessage, Storage, type Subscription } from '../../../apps/notify/storage.ts';

function open(t: ExecutionContext) {
  const directory = mkdtempSync(join(tmpdir(), 'notify-'));
  const file = join(directory, 'notify.sqlite');
  const clock = { now: 1_000_000 };
  const storage = new Storage(file, () => clock.now);
  t.teardown(() => {
    storage.close();
    rmSync(directory, { recursive: true });
  });
  return { storage, clock, file };
}

const message = (more: Partial<NewMessage> = {}): NewMessage => ({
  ttlS: 60,
  urgency: 2,
  topic: null,
  type: null,
  encoding: null,
  receiptId: null,
  body: Buffer.from('body'),
  ...more,
});

function stored(storage: Storage, id: string, more?: Partial<NewMessage>, told: string[] = []): string {
  const result = storage.store(id, message(more));
  if (typeof result === 'string') throw new Error(result);
  told.push(...result.told);
  return result.id;
}

/** Every message that somebody who begins to monitor now would get. */
function all(storage: Storage, id: string, urgency = 0): string[] {
  const ids: string[] = [];
  const since = storage.lastSeq();
  for (let after = 0; ; ) {
    const next = storage.next(id, after, since, urgency);
    if (next === undefined) return ids;
    ids.push(next.id);
    after = next.seq;
  }
}

const subscribed = (storage: Storage, set?: string): Subscription => storage.subscribe(set) as Subscription;

test('messages are there in order until they are acknowledged or have expired', (t) => {
  const { storage, clock } = open(t);
  const { id } = subscribed(storage);
  const [short, long] = [stored(storage, id, { ttlS: 10 }), stored(storage, id, { ttlS: 100 })];
  t.deepEqual(all(storage, id), [short, long]);
  clock.now += 10;
  t.deepEqual(all(storage, id), [long]);
  t.is(storage.acknowledge(short), undefined, 'what has expired cannot be acknowledged');
  t.is(storage.acknowledge(long), null);
  t.is(storage.acknowledge(long), undefined);
  t.deepEqual(all(storage, id), []);
});

test('another connection to the file sees what was stored, and so does the next process', (t) => {
  const { storage, clock, file } = open(t);
  const { id } = subscribed(storage);
  const first = stored(storage, id);
  const other = new Storage(file, () => clock.now);
  t.deepEqual(all(other, id), [first]);
  other.acknowledge(first);
  t.deepEqual(all(storage, id), []);
  const second = stored(storage, id);
  other.close();
  const again = new Storage(file, () => clock.now);
  t.deepEqual(all(again, id), [second]);
  again.close();
});

test('a message with TTL 0 is for who monitors already, and stays for a while to be acknowledged', (t) => {
  const { storage, clock } = open(t);
  const { id } = subscribed(storage);
  const since = storage.lastSeq();
  const transient = stored(storage, id, { ttlS: 0 });
  t.is(storage.next(id, 0, since, 0)?.id, transient);
  t.deepEqual(all(storage, id), [], 'whoever comes later does not get it');
  t.is(storage.acknowledge(transient), null);
  const late = stored(storage, id, { ttlS: 0 });
  clock.now += TRANSIENT_S;
  t.is(storage.acknowledge(late), undefined);
});

test('a topic has one message: the one before is replaced, and whoever waits for its receipt hears 410', (t) => {
  const { storage } = open(t);
  const { id } = subscribed(storage);
  const receiptId = storage.createReceiver() as string;
  const told: string[] = [];
  const old = stored(storage, id, { topic: 'news', receiptId }, told);
  t.deepEqual(told, []);
  const now = stored(storage, id, { topic: 'news' }, told);
  const other = stored(storage, id, { topic: 'weather' });
  t.deepEqual(all(storage, id), [now, other]);
  t.deepEqual(told, [receiptId]);
  t.like(storage.nextReceipt(receiptId, 0), { message: old, status: 410 });
});

test('a set has the messages of its subscriptions; urgency keeps the lesser ones back', (t) => {
  const { storage } = open(t);
  const one = subscribed(storage);
  const two = subscribed(storage, one.setId);
  const apart = subscribed(storage, 'no such set');
  t.is(two.setId, one.setId);
  t.not(apart.setId, one.setId);
  const [low, high] = [stored(storage, one.id, { urgency: 1 }), stored(storage, two.id, { urgency: 3 })];
  stored(storage, apart.id);
  t.deepEqual(all(storage, one.setId), [low, high]);
  t.deepEqual(all(storage, one.setId, 2), [high]);
  t.deepEqual(all(storage, one.id), [low]);
});

test('receipts say what became of messages: 204 acknowledged, 410 expired or gone with their subscription', (t) => {
  const { storage, clock } = open(t);
  const { id } = subscribed(storage);
  const other = subscribed(storage);
  const receiptId = storage.createReceiver() as string;
  const [read, missed] = [stored(storage, id, { receiptId }), stored(storage, id, { receiptId })];
  const cut = stored(storage, other.id, { receiptId });
  t.is(storage.acknowledge(read), receiptId);
  t.deepEqual(storage.unsubscribe(other.id), [receiptId]);
  t.is(storage.unsubscribe(other.id), null);
  clock.now += 60;
  t.deepEqual(storage.sweep(), [receiptId]);
  t.deepEqual(storage.sweep(), []);
  const seen: [string, number][] = [];
  for (let after = 0; ; ) {
    const receipt = storage.nextReceipt(receiptId, after);
    if (receipt === undefined) break;
    seen.push([receipt.message, receipt.status]);
    after = receipt.seq;
    storage.dropReceipt(receipt.seq);
  }
  t.deepEqual(seen, [
    [read, 204],
    [cut, 410],
    [missed, 410],
  ]);
  t.is(storage.nextReceipt(receiptId, 0), undefined);
});

test('subscriptions end when nobody has monitored them for long, and what monitors them is woken', (t) => {
  const { storage, clock } = open(t);
  const [kept, lost] = [subscribed(storage), subscribed(storage)];
  clock.now += SUBSCRIPTION_S - 1;
  storage.renew(kept.id);
  clock.now += 1;
  t.is(storage.subscription(lost.id), undefined);
  t.is(storage.store(lost.id, message()), 'gone');
  t.deepEqual(storage.sweep(), [lost.id]);
  t.is(storage.subscription(kept.id)?.push, kept.push);
  t.is(storage.ofPush(kept.push)?.id, kept.id);
});

test('a subscription holds so many messages and no more, and no message longer than may be', (t) => {
  const { storage } = open(t);
  const { id } = subscribed(storage);
  for (let n = 0; n < MAX_MESSAGES_PER_SUBSCRIPTION - 1; n++) stored(storage, id);
  stored(storage, id, { topic: 'last' });
  t.is(storage.store(id, message()), 'full');
  t.is(storage.store(id, message({ topic: 'other' })), 'full');
  t.is(typeof storage.store(id, message({ topic: 'last' })), 'object', 'a replacement has room');
  const other = subscribed(storage);
  t.like(storage.store(other.id, message({ ttlS: 10 * MAX_TTL_S })), { ttlS: MAX_TTL_S });
});
