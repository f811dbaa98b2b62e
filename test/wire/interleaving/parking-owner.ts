/**
 * An owner of the reactor's end that parks what the ring refuses, as pools' threads and hosts do. When there
 * is room it sends the parked messages again, in the order in which they were refused, until one is refused
 * again.
 */
import type { AtomicWords } from '../../../wire/atomics.ts';
import { hardwareAtomics } from '../../../wire/atomics.ts';
import { ReactorEnd } from '../../../wire/reactor-end.ts';
import { ThreadEnd } from '../../../wire/thread-end.ts';
import { recordReactor, recordThread } from '../record.ts';
import { BELL_TO_REACTOR, BELL_TO_THREAD, countingBell } from './bell.ts';
import type { ChannelMemory } from './memory.ts';

/** Longer than any record of a test; each test decides how much of it it sends. */
const BODY = Buffer.alloc(1024);

export class ParkingOwner {
  readonly end: ReactorEnd;
  /** Lengths of the messages that wait for room. */
  readonly parked: number[] = [];
  refused = 0;
  sent = 0;
  readonly #memory: ChannelMemory;
  readonly #bells: Int32Array;
  #heard = 0;
  #onRing: () => void = () => undefined;

  constructor(memory: ChannelMemory, atomics: AtomicWords) {
    const [outgoing, incoming, claims, bells] = memory;
    this.#memory = memory;
    this.#bells = new Int32Array(bells);
    this.end = new ReactorEnd(recordReactor([], { onWritable: () => this.#onWritable() }), {
      outgoing,
      incoming,
      claims,
      maxDataRecordBytes: BODY.length,
      doorbell: (onRing) => {
        this.#onRing = onRing;
        return countingBell(bells, BELL_TO_THREAD)();
      },
      atomics,
    });
  }

  send(length: number): void {
    if (this.end.sendData(0, 0, BODY, 0, length)) {
      this.sent++;
    } else {
      this.refused++;
      this.parked.push(length);
    }
  }

  #onWritable(): void {
    for (let waiting = this.parked.length; waiting > 0; waiting--) {
      const before = this.refused;
      this.send(this.parked.shift() as number);
      if (this.refused > before) return;
    }
  }

  /** Takes turns until it sleeps. */
  turns(): void {
    do {
      this.end.publish();
      this.end.receive(10);
    } while (!this.end.sleep());
  }

  /** Delivers the bells that were rung, and lets both sides take turns until nobody has rung. */
  settle(): void {
    const [outgoing, incoming, claims, bells] = this.#memory;
    for (let isRung = true; isRung; ) {
      isRung = false;
      if (this.#bells[BELL_TO_THREAD] > 0) {
        isRung = true;
        this.#bells[BELL_TO_THREAD] = 0;
        const thread = new ThreadEnd(recordThread([]), {
          outgoing: incoming,
          incoming: outgoing,
          claims,
          maxDataRecordBytes: BODY.length,
          doorbell: countingBell(bells, BELL_TO_REACTOR),
          atomics: hardwareAtomics,
        });
        do while (thread.receive(1) > 0);
        while (!thread.sleep());
      }
      if (this.#bells[BELL_TO_REACTOR] > this.#heard) {
        isRung = true;
        this.#heard = this.#bells[BELL_TO_REACTOR];
        this.#onRing();
        this.turns();
      }
    }
  }
}
