import test from 'ava';
import { defaultHttp2Options, http2Options } from '../../runtime/http2/options.ts';

test('the defaults are valid, and overrides apply one by one', (t) => {
  t.deepEqual(http2Options(), defaultHttp2Options);
  const options = http2Options({ maxFieldLines: 50, budgets: { pings: { burst: 5, perSecond: 0 } } });
  t.is(options.maxFieldLines, 50);
  t.is(options.maxFrameBytes, 16_384);
  t.deepEqual(options.budgets.pings, { burst: 5, perSecond: 0 });
  t.deepEqual(options.budgets.settings, defaultHttp2Options.budgets.settings);
});

test('a value that RFC 9113 or the engine does not allow is refused by name', (t) => {
  const wrong = [
    ['maxFrameBytes', { maxFrameBytes: 16_383 }],
    ['maxFrameBytes', { maxFrameBytes: 0x100_0000 }],
    ['connectionWindowBytes', { connectionWindowBytes: 65_534 }],
    ['streamWindowBytes', { streamWindowBytes: 0x8000_0000 }],
    ['maxConcurrentStreams', { maxConcurrentStreams: 0 }],
    ['settingsTimeoutMs', { settingsTimeoutMs: 1.5 }],
    ['maxUnsentBytes', { maxUnsentBytes: 5000, outputLimitBytes: 5000 }],
    ['budgets.pings.burst', { budgets: { pings: { burst: 0, perSecond: 1 } } }],
    ['budgets.pings.perSecond', { budgets: { pings: { burst: 1, perSecond: -1 } } }],
  ] as const;
  for (const [name, overrides] of wrong) {
    const error = t.throws(() => http2Options(overrides));
    t.is((error as { code?: string }).code, 'SLUICE_HTTP2_OPTION');
    t.true(error?.message.includes(name), error?.message);
  }
});

test('connectionWindowBytes holds the initial window of every allowed stream, and room for growth', (t) => {
  const { connectionWindowBytes, maxConcurrentStreams, maxStreamWindowBytes, streamWindowBytes } =
    defaultHttp2Options;
  t.true(connectionWindowBytes >= maxConcurrentStreams * streamWindowBytes + 4 * maxStreamWindowBytes);
});
