/**
 * Abnormal ends and long bodies, through every pair of forms: an application that fails, a peer that
 * disconnects.
 */
import { constants } from 'node:http2';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { FORMS } from '../../apps/middleware/catalogue.ts';
import { FileScope, startServer, type TestServer } from '../server/harness.ts';
import { connectHttp2 } from '../server/http2-client.ts';
import { SIGNALS_FIELD } from '../server/signals.ts';
import { ways } from '../websocket/byte-streams.ts';
import { openPeer } from '../websocket/peer.ts';
import { CREDENTIALS, exchange, type GalleryServer, startGallery, type Version } from './gallery-server.ts';
import { outcomeOf } from './outcomes.ts';

const scope = new FileScope();
let gallery: GalleryServer;
let interrupted: TestServer;
test.before(async () => {
  gallery = await startGallery(scope);
  const application = fileURLToPath(new URL('./applications/interrupted.ts', import.meta.url));
  interrupted = await startServer(scope, {
    pools: { interrupted: { application, threads: { min: 1, max: 1 } } },
    routes: [{ path: '/*', pool: 'interrupted', websocket: true }],
  });
});
test.after.always(() => scope.end());

/**
 * Violations that the threads' validators reported: Node writes the warnings of threads to this process's
 * standard error.
 */
const violations: string[] = [];
const { write } = process.stderr;
process.stderr.write = function (this: typeof process.stderr, ...words: Parameters<typeof write>): boolean {
  const text = String(words[0]);
  if (text.includes('SLUICE_GATEWAY_VIOLATION')) violations.push(text);
  return write.apply(this, words);
} as typeof write;

const VERSIONS: readonly Version[] = ['1.1', '2'];
const PAIRS = FORMS.flatMap((above) =>
  FORMS.filter((below) => below !== above).map((below) => [above, below]),
);
/** The innermost application: the native one, or the legacy one. */
const INNERMOST = [[], ['express']];
const between = (stack: readonly string[]) => stack.flatMap((form) => [form, 'validator']);
const STACKS = INNERMOST.flatMap((innermost) => PAIRS.map((pair) => [...between(pair), ...innermost]));

for (const version of VERSIONS) {
  test.serial(
    `HTTP/${version}: an application that fails before its head is an error, whatever stands above`,
    async (t) => {
      for (const stack of STACKS) {
        const got = await exchange(gallery, { version, stack, path: '/page?fail=early' });
        t.is(got.status, 500, stack.join(', '));
      }
    },
  );

  test.serial(`HTTP/${version}: one that fails after its head never looks complete`, async (t) => {
    for (const stack of STACKS) {
      const got = await exchange(gallery, {
        version,
        stack,
        path: '/page?fail=late',
        body: 'x',
      });
      if (got.status !== 500) t.is(got.how, 'cut', stack.join(', '));
    }
  });

  test.serial(`HTTP/${version}: a long body comes back complete`, async (t) => {
    const body = Buffer.alloc(60 * 1024, 'a long way to go; ').toString();
    for (const stack of STACKS) {
      const got = await exchange(gallery, { version, stack, path: '/page', body });
      const text = got.text.slice(got.text.indexOf('\n') + 1);
      t.is(got.status, 200, stack.join(', '));
      t.true(text.startsWith(body), `${stack.join(', ')} ${text.length}`);
    }
  });
}

test.serial('HTTP/2: a peer’s reset interrupts the application through any layers', async (t) => {
  let count = 0;
  for (const stack of PAIRS) {
    // A connection that resets one stream after another would be treated as an attack.
    const session = await connectHttp2(scope, interrupted.origin);
    const id = ++count;
    const ends = [
      `aborted ${id} SLUICE_EXCHANGE_CLOSED by peer code ${constants.NGHTTP2_CANCEL}`,
      `closed ${id} reset by peer code ${constants.NGHTTP2_CANCEL}`,
      `write ${id} SLUICE_EXCHANGE_CLOSED`,
    ];
    const begun = interrupted.signals.until(`begun ${id}`);
    const told = Promise.all(ends.map((end) => interrupted.signals.until(end)));
    const stream = session.request({
      ...CREDENTIALS,
      ':path': `/?id=${id}`,
      'x-stack': stack.join(','),
      [SIGNALS_FIELD]: interrupted.signals.name,
    });
    stream.on('error', () => undefined);
    await begun;
    stream.close(constants.NGHTTP2_CANCEL);
    await told;
    session.destroy();
  }
  t.is(interrupted.log.count('application failed'), 0);
  t.is(interrupted.log.count('thread started'), 1);
});

for (const way of ways) {
  test.serial(
    `HTTP/${way.version}: a WebSocket that is cut off ends the application’s loop through all layers that let it pass`,
    async (t) => {
      const protocol = way.version === '2' ? 'WebSocket over HTTP/2' : 'WebSocket over HTTP/1.1';
      const passing = PAIRS.filter((stack) => outcomeOf(stack, protocol).capabilities.tunnel);
      t.true(passing.length > 100);
      for (const [at, stack] of passing.entries()) {
        const id = `${way.version}-${at}`;
        const left = interrupted.signals.until(`left ${id} 1006`);
        const fields = { ...CREDENTIALS, 'x-stack': stack.join(',') };
        const peer = await openPeer(way, t, { ...interrupted, scope }, `/?id=${id}`, { fields });
        t.is(await peer.next(), 'hello', stack.join(', '));
        peer.cut();
        await left;
      }
    },
  );
}

test.serial('none of these tests has ended a thread', (t) => {
  t.is(gallery.log.count('thread started'), 1);
  t.is(interrupted.log.count('thread started'), 1);
});

test.serial('no layer has used its exchange after its function was over (rule 1.2)', (t) => {
  t.deepEqual(violations, []);
});
