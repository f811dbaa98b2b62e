/** How a thread looks for messages instead of sleeping: when, for how long, and when it stops doing so. */
import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import type { ChannelEnd } from '../../wire/end.ts';
import { Spin } from '../../workers/actors/spin.ts';
import { Turns, type TurnsOwner } from '../../workers/actors/turns.ts';

/** Time passes by so much with every look at the clock. */
const TICK_MS = 0.01;

/** An end to which another thread writes a message after so many looks, if it is looked at for so long. */
class FakeEnd {
  state: 'awake' | 'sleeping' = 'awake';
  /** What has come. */
  waiting = 0;
  /** How many looks from now the next messages come. */
  readonly coming: number[] = [];
  sleeps = 0;
  onMessage: () => void = () => undefined;

  get hasNews(): boolean {
    if (this.coming.length > 0 && --(this.coming as [number])[0] <= 0) {
      this.coming.shift();
      this.waiting++;
    }
    return this.waiting > 0;
  }

  get isAsleep(): boolean {
    return this.state === 'sleeping';
  }

  get needsTurn(): boolean {
    return false;
  }

  receive(): number {
    this.state = 'awake';
    const received = this.waiting;
    this.waiting = 0;
    for (let n = 0; n < received; n++) this.onMessage();
    return received;
  }

  sleep(): boolean {
    if (this.waiting > 0) return false;
    if (this.state === 'awake') this.sleeps++;
    this.state = 'sleeping';
    return true;
  }

  stayAwake(): void {
    this.state = 'awake';
  }

  publish(): void {}

  leave(): void {}
}

function start() {
  let nowMs = 0;
  const clock = () => (nowMs += TICK_MS);
  const end = new FakeEnd();
  const owner = { openCalls: 0, running: 0, ended: 0, hasReady: false, advanceReady: () => undefined };
  const turns = new Turns([end as unknown as ChannelEnd], owner as TurnsOwner, new Spin(clock), clock);
  return {
    end,
    owner,
    turns,
    pass: (ms: number) => {
      nowMs += ms;
    },
    /** As a doorbell that brings a message. */
    ring: () => {
      end.waiting = 1;
      end.state = 'awake';
      turns.wake();
    },
  };
}

test('a thread that has replied to a lone call takes the next one without sleeping', (t) => {
  const { end, owner, ring } = start();
  end.onMessage = () => owner.ended++;
  end.coming.push(3, 3, 3);
  ring();
  t.is(owner.ended, 4, 'all in the turn that the doorbell began');
  t.is(end.sleeps, 1);
});

test('a thread whose method goes on is not held up by looking', (t) => {
  const { end, owner, ring } = start();
  end.onMessage = () => owner.running++;
  end.coming.push(3);
  ring();
  t.is(owner.running, 1);
  t.is(end.sleeps, 1);
});

test('a thread that waits for the reply to a lone call takes it without sleeping', async (t) => {
  const { end, owner, turns, ring } = start();
  ring();
  t.is(end.sleeps, 1);
  let replies = 0;
  end.onMessage = () => {
    replies++;
    owner.openCalls--;
  };
  owner.openCalls = 1;
  end.coming.push(5);
  turns.said();
  await setImmediate();
  t.is(replies, 1);
  t.true(turns.isIdleBut(end as unknown as ChannelEnd));
});

test('calls that follow each other let the event loop turn once in a millisecond', async (t) => {
  const { end, owner, turns, ring, pass } = start();
  ring();
  let calls = 0;
  end.onMessage = () => {
    owner.openCalls--;
    if (++calls === 1_000) return;
    // What its promise goes on with makes the next call.
    queueMicrotask(() => {
      owner.openCalls++;
      pass(0.1);
      end.coming.push(2);
      turns.said();
    });
  };
  owner.openCalls = 1;
  end.coming.push(2);
  turns.said();
  const seen: number[] = [];
  while (calls < 1_000) {
    await setImmediate();
    seen.push(calls - (seen.at(-1) ?? 0));
    // Its doorbell, when it sleeps.
    if (end.coming.length > 0 && turns.isIdleBut(end as unknown as ChannelEnd)) {
      end.coming.length = 0;
      ring();
    }
  }
  t.true(seen.length > 50, `the loop has turned ${seen.length} times`);
});

test('after each look in vain twice as many occasions are passed over, unless many have paid before it', (t) => {
  let nowMs = 0;
  const spin = new Spin(() => (nowMs += TICK_MS));
  const end = new FakeEnd();
  const ends = [end as unknown as ChannelEnd];
  const tries: number[] = [];
  for (let occasion = 0; occasion < 1_100; occasion++) {
    if (!spin.isDue()) continue;
    tries.push(occasion);
    t.false(spin.findsNews(ends));
  }
  t.deepEqual(tries, [0, 2, 6, 14, 30, 62, 126, 254, 510, 1_022]);
  while (!spin.isDue());
  for (let look = 0; look < 600; look++) {
    end.coming.push(4);
    t.true(spin.findsNews(ends));
    t.is(end.receive(), 1);
  }
  for (let inVain = 0; inVain < 4; inVain++) {
    t.true(spin.isDue());
    t.false(spin.findsNews(ends));
  }
  t.true(spin.isDue());
  t.false(spin.findsNews(ends));
  t.false(spin.isDue());
  t.true(spin.isDue());
});
