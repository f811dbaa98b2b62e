/** The matrix with a legacy application below: Express and `ws` under every form and every pair of forms, over every protocol. */
import test, { type ExecutionContext } from 'ava';
import { FORMS } from '../../apps/middleware/catalogue.ts';
import { STYLE } from '../../apps/middleware/innermost.ts';
import { FileScope } from '../server/harness.ts';
import { RefusedError, ways } from '../websocket/byte-streams.ts';
import { openPeer } from '../websocket/peer.ts';
import { CREDENTIALS, exchange, type GalleryServer, RUN, startGallery } from './gallery-server.ts';
import { isSigned, missing, outcomeOf, PROTOCOLS, type Protocol, rowOf } from './outcomes.ts';

const scope = new FileScope();
let server: GalleryServer;
test.before(async () => {
  server = await startGallery(scope);
});
test.after.always(() => scope.end());

const STACKS = [
  [],
  ...FORMS.map((form) => [form]),
  ...FORMS.flatMap((above) => FORMS.filter((below) => below !== above).map((below) => [above, below])),
];
const BODY = 'what was sent comes back; '.repeat(60);
const named = (stack: readonly string[]) => [
  ...stack.flatMap((form) => ['validator', form]),
  'validator',
  'express',
];

for (const protocol of PROTOCOLS) {
  test.serial(
    `Express over ${protocol} has everything that its shape can express and no layer withholds`,
    async (t) => {
      const use = protocol.startsWith('WebSocket') ? talk : everything;
      for (const stack of STACKS) await use(t, stack, protocol);
    },
  );
}

async function everything(t: ExecutionContext, stack: readonly string[], protocol: Protocol): Promise<void> {
  const { isInteractive, capabilities } = outcomeOf(stack, protocol);
  const version = protocol === 'HTTP/2' ? '2' : '1.1';
  const got = await exchange(server, { version, stack: named(stack), body: BODY, isInteractive });
  const which = `${stack.join(', ')} over ${protocol}: ${got.how} ${got.text.slice(0, 200)}`;
  t.is(got.status, 200, which);
  t.is(got.how, 'whole', which);
  t.true(got.text.includes(`\n${BODY}`), which);
  t.is(got.trailers['x-echoed-bytes'], capabilities.trailers ? String(BODY.length) : undefined, which);
  t.deepEqual(got.links, ['</font.woff2>; rel=preload; as=font; crossorigin'], which);
  t.deepEqual(
    [...got.pushed.values()].map(({ text }) => text),
    capabilities.push ? [STYLE] : [],
    which,
  );
  t.is(got.headers['x-associated-content'], undefined, which);
  for (const form of stack) {
    const { sign, isOffered } = rowOf(form);
    if (sign !== undefined && !isOffered)
      t.is(missing(sign, got) === '', isSigned(stack, form), `${form}: ${which}`);
  }
}

async function talk(t: ExecutionContext, stack: readonly string[], protocol: Protocol): Promise<void> {
  const way = ways.find(({ version }) => protocol.endsWith(version)) as (typeof ways)[number];
  const fields = { ...CREDENTIALS, 'x-stack': named(stack).join(',') };
  const open = () => openPeer(way, t, { ...server, scope }, `${RUN}/under/page`, { fields });
  if (!outcomeOf(stack, protocol).capabilities.tunnel) {
    const refused = (await t.throwsAsync(
      open,
      { instanceOf: RefusedError },
      stack.join(', '),
    )) as RefusedError;
    t.is(refused.status, 501, refused.body);
    return;
  }
  const peer = await open();
  t.regex(String(await peer.next()), /"method":"GET"/, stack.join(', '));
  peer.send('hello');
  t.is(await peer.next(), 'hello');
  peer.close(1000);
  t.is((await peer.closed).code, 1000);
}
