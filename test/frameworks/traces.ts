/** Server spans of OpenTelemetry's instrumentation of node:http, which Sentry's SDK and others build upon. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requestHttp1 } from '../server/http1-client.ts';
import { type Started, startNode, startSluice } from './started.ts';

export const TRACED = { name: 'OpenTelemetry', folder: 'opentelemetry', module: 'server.cjs' };

const PARENT = 'b7ad6b7169203331';
/** Of the connection: the port is another, and the server's own address does not come with an exchange. */
const OF_CONNECTION = /port|^net\.host|^net\.peer|^http\.(?:url|host)|^server\.|^network\.peer|ip$/;

interface Span {
  readonly name: string;
  readonly status: number;
  readonly attributes: { readonly [name: string]: unknown };
  readonly traceId: string;
  readonly parent: string | null;
}

export function checkTraces(): void {
  let node: Started;
  let sluice: Started;
  before(async () => {
    node = await startNode(TRACED);
    sluice = await startSluice(TRACED, 1);
  });
  after(() => Promise.all([node?.stop(), sluice?.stop()]));

  test('each exchange has the server span that it has on Node, and works in its context', async () => {
    const expected = await spansOf(node);
    const got = await spansOf(sluice);
    assert.equal(expected.length, 10);
    assert.deepEqual(got, expected);
  });
}

/** Asks side by side, so that contexts could be mixed up. */
async function spansOf({ origin }: Started): Promise<readonly Span[]> {
  const traces = Array.from({ length: 8 }, (_, n) => `0af7651916cd43dd8448eb211c8031${n}0`);
  await Promise.all(
    traces.map(async (id, n) => {
      const { body } = await requestHttp1(`${origin}/trace`, {
        method: 'POST',
        headers: { traceparent: `00-${id}-${PARENT}-01`, 'content-type': 'application/json' },
        body: JSON.stringify({ ms: 10 * (8 - n) }),
      });
      assert.deepEqual(JSON.parse(body.toString()), [id, id]);
    }),
  );
  for (const path of ['/broken', '/nowhere']) await requestHttp1(origin + path);
  const { body } = await requestHttp1(`${origin}/spans`);
  const spans = JSON.parse(body.toString()) as Span[];
  return spans
    .map((span) => ({
      ...span,
      attributes: ofExchange(span.attributes),
      traceId: span.parent === null ? '' : span.traceId,
    }))
    .sort((a, b) => (a.traceId + a.name < b.traceId + b.name ? -1 : 1));
}

function ofExchange(attributes: Span['attributes']): Span['attributes'] {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !OF_CONNECTION.test(name)));
}
