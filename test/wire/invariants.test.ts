/**
 * Plays the rules of the message table with a model reactor and a model thread on a real channel. It checks
 * that the rules suffice: in whatever order things happen, no message reaches any exchange but its own.
 */

import test from 'ava';
import fc from 'fast-check';
import { createChannel, openChannel } from '../../wire/channel.ts';
import { Flag, ResetBy } from '../../wire/messages.ts';
import type { ReactorEnd } from '../../wire/reactor-end.ts';
import type { ThreadEnd } from '../../wire/thread-end.ts';
import { Window } from '../../wire/window.ts';
import { recordReactor, recordThread } from './record.ts';

const SLOTS = 3;
const HEAD = ['GET', 'http', 'a', '/', '2', '::1', 1, 2] as const;

/** An exchange as the model reactor sees it. Every message about the exchange carries its name. */
interface Exchange {
  readonly name: string;
  isReset: boolean;
  finals: number;
}

class Model {
  readonly reactor: ReactorEnd;
  readonly thread: ThreadEnd;
  /** Slot → exchange, at the reactor: from `queue` until FINAL or recall. */
  readonly #open: (Exchange | null)[] = new Array(SLOTS).fill(null);
  /** Slot → name, at the thread: from the claim until the thread's FINAL. */
  readonly #claimed: (string | null)[] = new Array(SLOTS).fill(null);
  readonly ended: Exchange[] = [];
  #serial = 0;

  constructor() {
    const { reactor, transfer } = createChannel(
      recordReactor([], {
        onHead: (slot, flags, _status, fields) => this.#fromThread(slot, flags, fields[1]),
        onTrailers: (slot, flags, fields) => this.#fromThread(slot, flags, fields[1]),
        onClosed: (slot) => this.#fromThread(slot, Flag.Final, null),
      }),
      { slots: SLOTS, requestRingBytes: 1024, responseRingBytes: 1024 },
    );
    this.reactor = reactor;
    this.thread = openChannel(
      transfer,
      recordThread([], {
        onOpen: (slot, generation, _flags, _at, _path, { fields }) => {
          if (!this.thread.claims.claim(slot, generation)) return;
          this.#expect(this.#claimed[slot] === null, 'a slot is claimed after its last FINAL');
          this.#claimed[slot] = fields[1] as string;
        },
        onTrailers: (slot, fields) => {
          const name = this.#claimed[slot];
          if (name !== null) this.#expect(name === fields[1], `${name} got what was sent to ${fields[1]}`);
        },
        onReset: (slot) => {
          if (this.#claimed[slot] !== null) this.finish(slot);
        },
      }),
    );
    reactor.unref();
    this.thread.unref();
  }

  open(slot: number): void {
    if (this.#open[slot] !== null) return;
    const name = `exchange ${this.#serial++}`;
    const generation = this.reactor.claims.queue(slot);
    if (this.reactor.sendOpen(slot, generation, 0, ...HEAD, ['name', name])) {
      this.#open[slot] = { name, isReset: false, finals: 0 };
    } else {
      this.reactor.claims.recall(slot);
      this.reactor.claims.release(slot);
    }
  }

  recall(slot: number): void {
    if (this.#open[slot] === null || !this.reactor.claims.recall(slot)) return;
    this.reactor.claims.release(slot);
    this.#open[slot] = null;
  }

  toThread(slot: number): void {
    const exchange = this.#open[slot];
    if (exchange !== null && !exchange.isReset) this.reactor.sendTrailers(slot, ['name', exchange.name]);
  }

  reset(slot: number): void {
    const exchange = this.#open[slot];
    if (exchange === null || exchange.isReset) return;
    if (this.reactor.sendReset(slot, 8, ResetBy.Peer)) exchange.isReset = true;
  }

  respond(slot: number): void {
    const name = this.#claimed[slot];
    if (name !== null) this.thread.sendHead(slot, 0, 200, ['name', name], null);
  }

  finish(slot: number): void {
    const name = this.#claimed[slot];
    if (name === null) return;
    if (this.thread.sendTrailers(slot, Flag.Final, ['name', name])) this.#claimed[slot] = null;
  }

  /** Ends everything that is open. */
  settle(): void {
    for (let turn = 0; turn < 100; turn++) {
      this.reactor.publish();
      this.thread.receive(100);
      for (let slot = 0; slot < SLOTS; slot++) this.finish(slot);
      this.thread.publish();
      this.reactor.receive(100);
    }
    this.#expect(
      this.#open.every((exchange) => exchange === null),
      'every exchange ends',
    );
  }

  #fromThread(slot: number, flags: number, name: string | null): void {
    const exchange = this.#open[slot];
    this.#expect(exchange !== null, `slot ${slot} speaks after its FINAL`);
    if (exchange === null) return;
    if (name !== null) this.#expect(exchange.name === name, `${exchange.name} got what ${name} sent`);
    if ((flags & Flag.Final) === 0) return;
    exchange.finals++;
    this.ended.push(exchange);
    this.reactor.claims.release(slot);
    this.#open[slot] = null;
  }

  #expect(isTrue: boolean, what: string): void {
    if (!isTrue) throw new Error(what);
  }
}

test('whatever is recalled, reset and reused, no message reaches another exchange and each ends once', (t) => {
  const onSlot = fc.constantFrom('open', 'open', 'recall', 'toThread', 'reset', 'respond', 'finish');
  const onChannel = fc.constantFrom('reactorTurn', 'threadTurn', 'threadReads');
  const step = fc.oneof(
    fc.tuple(onSlot, fc.nat(SLOTS - 1)),
    fc.tuple(onChannel, fc.integer({ min: 1, max: 5 })),
  );
  let ended = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
      const model = new Model();
      for (const [what, number] of steps) {
        if (what === 'reactorTurn') {
          model.reactor.receive(number);
          model.reactor.publish();
        } else if (what === 'threadTurn') {
          model.thread.receive(number);
          model.thread.publish();
        } else if (what === 'threadReads') {
          model.thread.receive(number);
        } else {
          model[what as 'open' | 'recall' | 'toThread' | 'reset' | 'respond' | 'finish'](number);
        }
      }
      model.settle();
      ended += model.ended.length;
      return model.ended.every(({ finals }) => finals === 1);
    }),
    { numRuns: 300 },
  );
  t.true(ended > 500, 'enough exchanges got far enough');
});

test('with credit granted and given back in any order, no sender has more in flight than was granted', (t) => {
  const windowBytes = 256;
  const step = fc.tuple(fc.constantFrom('send', 'receive', 'consume'), fc.integer({ min: 1, max: 100 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      /** The thread's window: what it may still send. */
      const credit = new Window(0);
      let arrived = 0;
      let consumed = 0;
      const { reactor, transfer } = createChannel(
        recordReactor([], {
          onData: (_slot, _flags, _bytes, start, end) => {
            arrived += end - start;
          },
        }),
        { requestRingBytes: 1024, responseRingBytes: 1024 },
      );
      const thread = openChannel(
        transfer,
        recordThread([], {
          onCredit: (_slot, bytes) => {
            if (!credit.grant(bytes)) throw new Error('overflow');
          },
        }),
      );
      reactor.unref();
      thread.unref();
      reactor.sendCredit(0, windowBytes);
      reactor.publish();
      let sent = 0;
      const body = Buffer.alloc(100);
      for (const [what, amount] of steps) {
        if (what === 'send') {
          thread.receive(amount);
          const length = Math.min(amount, credit.available);
          if (length > 0 && thread.sendData(0, 0, body, 0, length)) {
            credit.consume(length);
            sent += length;
          }
          thread.publish();
        } else if (what === 'receive') {
          reactor.receive(amount);
        } else {
          const taken = Math.min(amount, arrived - consumed);
          if (taken > 0 && reactor.sendCredit(0, taken)) consumed += taken;
          reactor.publish();
        }
        if (sent - consumed > windowBytes || arrived - consumed > windowBytes) return false;
      }
      return true;
    }),
    { numRuns: 300 },
  );
  t.pass();
});
