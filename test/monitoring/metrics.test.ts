/** Metrics by part: the text, and what is counted for it. */
import test from 'ava';
import fc from 'fast-check';
import type { EndedExchange } from '../../runtime/exchange/contracts.ts';
import { Exposition } from '../../runtime/monitoring/exposition.ts';
import { RequestDurations } from '../../runtime/monitoring/request-durations.ts';
import { readExposition, sampleOf } from './exposition.ts';

function ended(more: Partial<EndedExchange>): EndedExchange {
  return { version: '2', method: 'GET', status: 200, admittedAtMs: 1_000, ...more } as EndedExchange;
}

function durationsText(durations: RequestDurations): Promise<string> {
  const exposition = new Exposition();
  durations.expose(exposition);
  return exposition.text();
}

const LABELS = (version: string, method: string, status: string) =>
  `{pool="app",http_route="/*",network_protocol_version="${version}",http_request_method="${method}",http_response_status_class="${status}"}`;

test('a metric has its help and type once, and one without values is left out', async (t) => {
  const exposition = new Exposition();
  exposition
    .metric('none', 'gauge', 'Nobody has one.')
    .metric('some_total', 'counter', 'Some.')
    .value(1, { a: 'b' });
  exposition.value(2);
  t.is(
    await exposition.text(),
    '# HELP some_total Some.\n# TYPE some_total counter\nsome_total{a="b"} 1\nsome_total 2\n',
  );
});

test('any text is a label', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.constantFrom('"', '\\', '\n', 'n', 'é', '{', '}', ',', ' ') }),
      async (label) => {
        const exposition = new Exposition();
        exposition.metric('x', 'gauge', 'Some.').value(1, { label });
        const [key = ''] =
          readExposition(await exposition.text())
            .get('x')
            ?.values.keys() ?? [];
        const [, shown = ''] = /^\{label="(.*)"\}$/s.exec(key) ?? [];
        const unescaped = shown.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character));
        t.is(unescaped, label);
      },
    ),
  );
});

test('requests are told apart by version, method and class of status, and no client makes new kinds', async (t) => {
  const durations = new RequestDurations(() => 1_030);
  const record = durations.of({ route: '/*', pool: 'app' });
  record(ended({}));
  record(ended({ status: 204 }));
  record(ended({ version: '1.1', method: 'BREW', status: 418 }));
  record(ended({ version: '1.1', method: 'get', status: 404 }));
  record(ended({ version: '1.0', method: 'HEAD', status: 0 }));
  const metrics = readExposition(await durationsText(durations));
  const name = 'http_server_request_duration_seconds';
  t.is(sampleOf(metrics, name, `_count${LABELS('2', 'GET', '2xx')}`), 2);
  t.is(sampleOf(metrics, name, `_count${LABELS('1.1', '_OTHER', '4xx')}`), 2);
  t.is(sampleOf(metrics, name, `_count${LABELS('1.0', 'HEAD', 'none')}`), 1);
  t.is([...(metrics.get(name)?.values.keys() ?? [])].filter((key) => key.startsWith('_count')).length, 3);
});

test('buckets are those of OpenTelemetry, and each counts what the smaller ones count', async (t) => {
  let now = 1_000;
  const durations = new RequestDurations(() => now);
  const record = durations.of({ route: '/*', pool: 'app' });
  for (const ms of [0, 5, 6, 1_000, 10_000, 20_000]) {
    now = 1_000 + ms;
    record(ended({}));
  }
  // Never admitted: refused before it could be.
  record(ended({ admittedAtMs: 0 }));
  const metrics = readExposition(await durationsText(durations));
  const labels = LABELS('2', 'GET', '2xx').slice(0, -1);
  const bucket = (le: string) =>
    sampleOf(metrics, 'http_server_request_duration_seconds', `_bucket${labels},le="${le}"}`);
  t.deepEqual(['0.005', '0.01', '0.75', '1', '7.5', '10', '+Inf'].map(bucket), [3, 4, 4, 5, 5, 6, 7]);
  const sum = sampleOf(metrics, 'http_server_request_duration_seconds', `_sum${labels}}`);
  t.is(Math.round((sum ?? 0) * 1_000), 31_011);
});

test('routes that a reload takes away are not told of any more, others keep their counts', async (t) => {
  const durations = new RequestDurations(() => 1_000);
  durations.of({ route: '/a', pool: 'app' })(ended({}));
  durations.of({ route: '/b', pool: 'app' })(ended({}));
  durations.keepOnly([{ route: '/a', pool: 'app' }]);
  durations.of({ route: '/a', pool: 'app' })(ended({}));
  const text = await durationsText(durations);
  t.regex(text, /_count\{pool="app",http_route="\/a",.*\} 2\n/);
  t.notRegex(text, /http_route="\/b"/);
});
