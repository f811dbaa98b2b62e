/**
 * Every middleware of the gallery, in both forms, at the top, in the middle and at the bottom of stacks that
 * mix forms, over every protocol. The validator runs between all layers. The expected results are in
 * `outcomes.ts`.
 */
import test, { type ExecutionContext } from 'ava';
import { FORMS } from '../../apps/middleware/catalogue.ts';
import type { Report } from '../../apps/middleware/innermost.ts';
import { STYLE } from '../../apps/middleware/innermost.ts';
import { FileScope } from '../server/harness.ts';
import { RefusedError, ways } from '../websocket/byte-streams.ts';
import { openPeer } from '../websocket/peer.ts';
import {
  CREDENTIALS,
  exchange,
  type GalleryServer,
  type Got,
  RUN,
  reportOf,
  startGallery,
  type Version,
} from './gallery-server.ts';
import { isSigned, missing, outcomeOf, PROTOCOLS, type Protocol, ROWS, rowOf } from './outcomes.ts';

const scope = new FileScope();
let server: GalleryServer;
test.before(async () => {
  server = await startGallery(scope);
});
test.after.always(() => scope.end());

/**
 * Neighbours of the other form than the layer under test. They withhold nothing, so anything missing was
 * withheld by the layer under test.
 */
const NEIGHBOURS: { readonly [form: string]: readonly string[] } = {
  native: ['legacy/response-fields', 'legacy/cors'],
  legacy: ['native/response-fields', 'native/cors'],
};
const POSITIONS = ['top', 'middle', 'bottom'] as const;

function stackAround(form: string, position: (typeof POSITIONS)[number]): readonly string[] {
  const [above, below] = NEIGHBOURS[form.split('/')[0] as string] as [string, string];
  if (position === 'top') return [form, below];
  return position === 'middle' ? [above, form, below] : [above, form];
}

const validated = (stack: readonly string[]) => [
  'validator',
  ...stack.flatMap((form) => [form, 'validator']),
];

test('the table has a row for every form', (t) => {
  t.deepEqual(Object.keys(ROWS).sort(), [...FORMS].sort());
});

for (const form of FORMS) {
  for (const position of POSITIONS) {
    const stack = stackAround(form, position);
    for (const protocol of PROTOCOLS) {
      test.serial(`${form} at the ${position} (${stack.join(', ')}) over ${protocol}`, async (t) => {
        if (protocol.startsWith('WebSocket')) {
          await talk(t, stack, protocol);
        } else {
          await everything(t, stack, protocol);
          await probe(t, form, stack, versionOf(protocol));
        }
      });
    }
  }
}

for (const protocol of PROTOCOLS) {
  test.serial(
    `any form above any other withholds exactly what both withhold, over ${protocol}`,
    async (t) => {
      const use = protocol.startsWith('WebSocket') ? talk : everything;
      for (const above of FORMS) {
        for (const below of FORMS) if (above !== below) await use(t, [above, below], protocol);
      }
    },
  );
}

const versionOf = (protocol: Protocol): Version => (protocol.endsWith('HTTP/2') ? '2' : '1.1');
/** Long enough to be worth compressing. */
const BODY = 'what was sent comes back; '.repeat(60);

/** An exchange that uses every feature: what the stack leaves arrives, and what it withholds is reported. */
async function everything(t: ExecutionContext, stack: readonly string[], protocol: Protocol): Promise<void> {
  const { preloaded, isInteractive, ...outcome } = outcomeOf(stack, protocol);
  const got = await exchange(server, {
    version: versionOf(protocol),
    stack: validated(stack),
    body: BODY,
    isInteractive,
  });
  const which = `${stack.join(', ')} over ${protocol}: ${got.how} ${got.text.slice(0, 2000)}`;
  t.not(got.text, '', which);
  t.is(got.status, 200, which);
  t.is(got.how, 'whole', which);
  checkReport(t, reportOf(got.text), outcome, which);
  t.true(got.text.includes(`\n${BODY}`), which);
  const { capabilities } = outcome;
  t.is(got.trailers['x-echoed-bytes'], capabilities.trailers ? String(BODY.length) : undefined, which);
  checkPushes(t, got, capabilities.push, preloaded, which);
  for (const form of stack) {
    const { sign } = rowOf(form);
    if (sign !== undefined) t.is(missing(sign, got) === '', isSigned(stack, form), which);
  }
}

function checkReport(
  t: ExecutionContext,
  report: Report,
  { capabilities, withheld }: Pick<ReturnType<typeof outcomeOf>, 'capabilities' | 'withheld'>,
  which: string,
): void {
  t.deepEqual(report.capabilities, capabilities, which);
  t.deepEqual(report.withheld.map(({ feature }) => feature).sort(), [...withheld].sort(), which);
  for (const { why } of report.withheld) t.regex(why, /\w+ \w+/, which);
}

function checkPushes(
  t: ExecutionContext,
  got: Got,
  arrives: boolean,
  preloaded: string | null,
  which: string,
): void {
  const texts = [...got.pushed].map(([path, { text }]) => [path.replace(/.*\//, ''), text]);
  t.deepEqual(texts, arrives ? [['style.css', STYLE]] : [], which);
  const links = ['</font.woff2>; rel=preload; as=font; crossorigin'];
  const link = `<${preloaded}>; rel=preload; as=style`;
  if (preloaded !== null) links.push(link);
  t.deepEqual(got.links, links, which);
  t.is(got.headers.link, preloaded === null ? undefined : link, which);
}

/** What the middleware is for. */
async function probe(
  t: ExecutionContext,
  form: string,
  stack: readonly string[],
  version: Version,
): Promise<void> {
  const { status, signs = [], ...asked } = rowOf(form).probe;
  const got = await exchange(server, { version, stack: validated(stack), ...asked });
  t.is(got.status, status, got.text);
  for (const sign of signs) t.is(missing(sign, got), '');
}

/** A WebSocket below the stack: it works, or the application refuses it with the reason that it was given. */
async function talk(t: ExecutionContext, stack: readonly string[], protocol: Protocol): Promise<void> {
  const way = ways.find(({ version }) => version === versionOf(protocol)) as (typeof ways)[number];
  const fields = { ...CREDENTIALS, 'x-stack': validated(stack).join(',') };
  const outcome = outcomeOf(stack, protocol);
  const open = () => openPeer(way, t, { ...server, scope }, `${RUN}/under/page`, { fields });
  if (!outcome.capabilities.tunnel) {
    const { status, body } = (await t.throwsAsync(open, { instanceOf: RefusedError })) as RefusedError;
    t.is(status, 501, body);
    return;
  }
  const peer = await open();
  checkReport(t, JSON.parse(String(await peer.next())), outcome, stack.join(', '));
  peer.send('hello');
  t.is(await peer.next(), 'hello');
  peer.close(1000);
  t.is((await peer.closed).code, 1000);
}
