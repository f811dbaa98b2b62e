/**
 * The bell rings for what another thread can see already: a monitor that looks too early sees nothing, sleeps, and is not woken
 * again. The other thread is a second connection to the file, which looks at the moment of the ring.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Bell } from '../../../apps/notify/bell.ts';
import { PushService } from '../../../apps/notify/service.ts';
import { Storage } from '../../../apps/notify/storage.ts';
import { answer } from '../../../apps/site/routing.ts';
import { ask } from '../memory-exchange.ts';

function open(t: ExecutionContext) {
  const directory = mkdtempSync(join(tmpdir(), 'notify-'));
  const file = join(directory, 'notify.sqlite');
  const storage = new Storage(file);
  const elsewhere = new Storage(file);
  const bell = new Bell(file);
  t.teardown(() => {
    bell.close();
    elsewhere.close();
    storage.close();
    rmSync(directory, { recursive: true });
  });
  const service = new PushService(storage, bell);
  return {
    elsewhere,
    bell,
    request: (method: string, path: string, fields: { [name: string]: string } = {}, body = '') =>
      ask((exchange) => answer(exchange, service), { method, path, fields, body }),
  };
}

/** The path behind a link relation; what it ends in is the name that the bell rings. */
function linked(link: readonly string[], relation: string): string {
  const path = link.find((value) => value.endsWith(`rel="urn:ietf:params:push${relation}"`));
  return path?.slice(1, path.indexOf('>')) as string;
}
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

test('a ring comes when another connection sees what it is for', async (t) => {
  const { elsewhere, bell, request } = open(t);
  const subscribed = await request('POST', '/notify/subscribe');
  const subscription = subscribed.fields.get('location') as string;
  const link = subscribed.fields.list('link');
  const push = linked(link, '');
  const seen: unknown[] = [];
  const look = (path: string, what: () => unknown) => bell.listen(nameOf(path), () => seen.push(what()));
  const message = () => elsewhere.next(nameOf(subscription), 0, 0, 0)?.id;
  look(subscription, message);
  look(linked(link, ':set'), message);

  const fields = { ttl: '60', topic: 'news', prefer: 'respond-async' };
  const first = await request('POST', push, fields, 'first');
  const firstId = nameOf(first.fields.get('location') as string);
  t.deepEqual(seen.splice(0), [firstId, firstId], 'a message');

  const receipt = linked(first.fields.list('link'), ':receipt');
  const status = () => {
    const next = elsewhere.nextReceipt(nameOf(receipt), 0);
    if (next !== undefined) elsewhere.dropReceipt(next.seq);
    return next?.status;
  };
  look(receipt, status);
  const again = { ...fields, link: `<${receipt}>; rel="urn:ietf:params:push:receipt"` };
  const second = await request('POST', push, again, 'second');
  const secondPath = second.fields.get('location') as string;
  t.deepEqual(
    seen.splice(0),
    [nameOf(secondPath), nameOf(secondPath), 410],
    'a receipt of what was replaced',
  );

  await request('DELETE', secondPath);
  t.deepEqual(seen.splice(0), [204], 'a receipt of what was acknowledged');

  await request('POST', push, again, 'third');
  seen.length = 0;
  await request('DELETE', subscription);
  t.deepEqual(
    seen.splice(0),
    [undefined, 410],
    'the end of a subscription, and a receipt of what went with it',
  );
  t.is(elsewhere.subscription(nameOf(subscription)), undefined);

  look(receipt, () => elsewhere.hasReceiver(nameOf(receipt)));
  await request('DELETE', receipt);
  t.deepEqual(seen.splice(0), [undefined, false], 'the end of a receipt subscription');
});
