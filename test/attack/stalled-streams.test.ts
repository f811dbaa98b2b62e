/** Peers that keep windows shut, against the engine alone: the budget `stalledStreamSeconds`. */
import test from 'ava';
import { SettingId } from '../../runtime/http2/settings.ts';
import { get, settings, windowUpdate } from '../http2/frames.ts';
import { Peer } from '../http2/peer.ts';

test('stalledStreamSeconds: streams that request much and open no window are cut off, by count and time', (t) => {
  const overrides = { budgets: { stalledStreamSeconds: { burst: 100, perSecond: 2 } } };
  const stall = (count: number): Peer => {
    const peer = Peer.open(overrides, {}, SettingId.InitialWindowSize, 0);
    for (let n = 0; n < count; n++) {
      peer.send(get(2 * n + 1));
      peer.engine.respond(peer.stream(2 * n + 1), 200, [], false);
      peer.engine.write(peer.stream(2 * n + 1), Buffer.alloc(10), 0, 10, true);
    }
    return peer;
  };
  const run = (peer: Peer, seconds: number): number => {
    let second = 0;
    for (; second < seconds && peer.engine.failure === null; second++) {
      peer.nowMs += 1000;
      peer.engine.tick(peer.nowMs);
    }
    return second;
  };
  const greedy = stall(12);
  const lasted = run(greedy, 1000);
  t.true(lasted >= 9 && lasted <= 12, `${lasted} s`);
  t.is(greedy.engine.counters.abuse, 'stalledStreamSeconds');
  const paused = stall(2);
  t.is(run(paused, 5000), 5000, 'two paused downloads may wait for ever');
  const released = stall(12);
  run(released, 5);
  released.send(settings(SettingId.InitialWindowSize, 100));
  released.take();
  t.is(run(released, 5000), 5000);
});

test('stalledStreamSeconds: a closed connection window stalls every stream that has an open one', (t) => {
  const peer = Peer.open({ budgets: { stalledStreamSeconds: { burst: 10, perSecond: 0 } } });
  for (const id of [1, 3]) {
    peer.send(get(id));
    peer.engine.respond(peer.stream(id), 200, [], false);
    peer.engine.write(peer.stream(id), Buffer.alloc(60_000), 0, 60_000, true);
  }
  peer.take();
  peer.engine.tick(peer.nowMs + 9000);
  t.is(peer.engine.failure, null);
  peer.engine.tick(peer.nowMs + 11_000);
  t.is(peer.engine.counters.abuse, 'stalledStreamSeconds');
});

test('stalledStreamSeconds: a download that is read does not pay for streams that are not', (t) => {
  const peer = Peer.open(
    { budgets: { stalledStreamSeconds: { burst: 100, perSecond: 0 } } },
    {},
    SettingId.InitialWindowSize,
    0,
  );
  peer.send(windowUpdate(0, 1 << 30));
  for (let n = 0; n < 11; n++) {
    peer.send(get(2 * n + 1));
    peer.engine.respond(peer.stream(2 * n + 1), 200, [], false);
    peer.engine.write(peer.stream(2 * n + 1), Buffer.alloc(1_000_000), 0, 1_000_000, true);
  }
  let second = 0;
  for (; peer.engine.failure === null && second < 1_000; second++) {
    peer.send(windowUpdate(1, 50_000));
    peer.take();
    peer.nowMs += 1000;
    peer.engine.tick(peer.nowMs);
    if (second === 8) t.is(peer.engine.failure, null, 'ten streams, nine seconds');
  }
  t.is(peer.engine.counters.abuse, 'stalledStreamSeconds');
  t.true(second <= 11, `${second} s`);
});
