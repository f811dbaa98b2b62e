/** Threads on real channels whose hosts the test speaks for. */
import { Dispatcher, type DispatcherOptions } from '../../runtime/pools/dispatcher.ts';
import type { Lane } from '../../runtime/pools/lane.ts';
import { Thread } from '../../runtime/pools/thread.ts';
import { openChannel } from '../../wire/channel.ts';
import { ClaimState } from '../../wire/claims.ts';
import { clockMicroseconds } from '../../wire/clock.ts';
import { Flag } from '../../wire/messages.ts';
import type { ThreadEnd } from '../../wire/thread-end.ts';
import { type Received, recordThread } from '../wire/record.ts';
import { DepthLane } from './depth-lane.ts';
import { ManualTurns } from './manual-turns.ts';
import { RecordingJob } from './recording-job.ts';

export interface ScriptedThread {
  readonly thread: Thread;
  readonly host: ThreadEnd;
  readonly received: Received[];
  readonly corrupted: Error[];
  /** The thread claims so many of the jobs that it has been given; which they were. */
  begin(most?: number): string[];
  /** The thread ends a job; the reactor hears of it. */
  finish(job: RecordingJob): void;
  /** The thread sends the head of a response that goes on. */
  respond(job: RecordingJob): void;
  /** The thread has nothing to do and says so: what it has begun awaits something. */
  sleep(): void;
}

export class PoolBench {
  readonly turns = new ManualTurns();
  /** Of what `submit` makes. */
  lane: Lane = new DepthLane();
  readonly dispatcher: Dispatcher;
  readonly threads: ScriptedThread[] = [];
  waiting = 0;

  constructor(options: Partial<DispatcherOptions> = {}) {
    this.dispatcher = new Dispatcher(
      { maxQueuedJobs: 10, maxWaitMs: 1000, recallAfterMs: 5, ...options },
      this.turns,
      () => this.waiting++,
    );
  }

  addThread(slots = 4, ringBytes = 65_536): ScriptedThread {
    const corrupted: Error[] = [];
    const received: Received[] = [];
    const owner = {
      onRoom: (which: Thread) => this.dispatcher.onRoom(which),
      onCorrupt: (_thread: Thread, error: Error) => corrupted.push(error),
    };
    const thread = new Thread(`t-${this.threads.length}`, owner, this.turns, slots, ringBytes);
    const host = openChannel(thread.transfer, recordThread(received));
    thread.channel.unref();
    host.unref();
    const scripted: ScriptedThread = {
      thread,
      host,
      received,
      corrupted,
      begin: (most = 1000) => begin(thread, host, received, most, this.turns.nowMs),
      finish(job) {
        host.sendHead(job.slot, Flag.End | Flag.Final, 200, [], null);
        host.publish();
        thread.receive(1000, Number.POSITIVE_INFINITY);
      },
      respond(job) {
        host.sendHead(job.slot, 0, 200, [], null);
        host.publish();
        thread.receive(1000, Number.POSITIVE_INFINITY);
      },
      sleep: () => {
        scripted.begin();
        const nowUs = clockMicroseconds(this.turns.nowMs);
        for (let job = thread.jobs.head; job !== null; job = job.next) {
          if (thread.vitals.computedUs(job.slot) === 0)
            thread.vitals.computed(job.slot, nowUs - thread.vitals.begunUs(job.slot));
        }
        if (!host.sleep()) throw new Error('the thread has something to do');
      },
    };
    thread.state = 'ready';
    this.threads.push(scripted);
    this.dispatcher.threads.push(thread);
    this.dispatcher.onRoom(thread);
    return scripted;
  }

  submit(...names: string[]): RecordingJob[] {
    return names.map((name) => {
      const job = new RecordingJob(name);
      job.lane = this.lane;
      this.dispatcher.submit(job);
      return job;
    });
  }
}

function begin(thread: Thread, host: ThreadEnd, received: Received[], most: number, nowMs: number): string[] {
  thread.channel.publish();
  thread.vitals.beginTurn(clockMicroseconds(nowMs));
  const begun: string[] = [];
  while (begun.length < most) {
    const from = received.length;
    if (host.receive(1) === 0) break;
    for (const [kind, slot, generation, , , , , path] of received.slice(from)) {
      if (kind !== 'open') continue;
      thread.vitals.begin(slot as number, clockMicroseconds(nowMs));
      if (host.claims.claim(slot as number, generation as number)) begun.push((path as string).slice(1));
    }
  }
  return begun;
}

/** Slots that somebody holds. */
export function heldSlots({ thread }: ScriptedThread): number {
  let held = 0;
  const { claims } = thread.channel;
  for (let slot = 0; slot < claims.slots; slot++) if (claims.stateOf(slot) !== ClaimState.Free) held++;
  return held;
}
