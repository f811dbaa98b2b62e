/** What the log says about connections and requests that were refused before they became exchanges. */
import test from 'ava';
import { createLog } from '../../runtime/logging/log.ts';
import { TurnedAwayLog } from '../../runtime/logging/turned-away-log.ts';
import { application, startServer } from '../server/harness.ts';
import { LogLines } from '../server/log-lines.ts';
import { headers, RawHttp2, requestHead } from '../server/raw-http2.ts';

test('a malformed request is logged with its reason, and with where it came from', async (t) => {
  const { port, log } = await startServer(t, {
    pools: { messages: { application: application('server', 'messages'), threads: { min: 1, max: 1 } } },
  });
  const client = await RawHttp2.connect(t, port);
  client.send(headers(1, requestHead('GET', ''), true));
  const line = await log.until('request refused');
  t.like(line, { level: 'debug', refusal: 'malformed', address: '127.0.0.1' });
  t.regex(String(line.why), /:path/);
});

test('of each reason there is one line in each interval, and the rest are counted', (t) => {
  const lines = new LogLines();
  const log = new TurnedAwayLog(
    createLog({ level: 'debug', format: 'json' }, { stream: lines.stream, isTerminal: false, colour: false }),
    1_000,
  );
  for (let each = 0; each < 100; each++) {
    log.request('malformed', `10.0.0.${each}`, 'the Host field is missing', 5_000);
    log.connection('no-http', '10.0.0.1', 'its first line is no HTTP', 5_000);
  }
  log.request('head-too-large', '10.0.0.1', 'the field section is too large', 5_000);
  log.tick(5_500);
  t.deepEqual(
    lines.lines.map(({ msg, refusal, suppressed }) => [msg, refusal, suppressed]),
    [
      ['request refused', 'malformed', undefined],
      ['connection refused', 'no-http', undefined],
      ['request refused', 'head-too-large', undefined],
    ],
  );
  log.request('malformed', '10.0.0.1', 'the Host field is missing', 6_000);
  t.like(lines.lines.at(-1), { msg: 'request refused', suppressed: 99 });
  log.tick(6_500);
  t.like(lines.lines.at(-1), { msg: 'more connections refused', refusal: 'no-http', suppressed: 99 });
  const before = lines.lines.length;
  log.tick(9_000);
  t.is(lines.lines.length, before);
});
