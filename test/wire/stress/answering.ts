/**
 * The thread of the channel's stress test. It responds to each request at once and sleeps whenever there is
 * none.
 */

import { workerData } from 'node:worker_threads';
import { type ChannelTransfer, openChannel } from '../../../wire/channel.ts';
import { Flag } from '../../../wire/messages.ts';
import type { ThreadEnd } from '../../../wire/thread-end.ts';
import { recordThread } from '../record.ts';

const BODY = Buffer.from('body');
/** Slots whose response a full ring has refused. */
const refused: number[] = [];
const end: ThreadEnd = openChannel(
  workerData as ChannelTransfer,
  recordThread([], {
    onWake: turn,
    onOpen(slot, generation, _flags, _at, _path, { method, fields }) {
      if (!end.claims.claim(slot, generation)) throw new Error('an OPEN that cannot be claimed');
      if (method !== 'POST' || fields[1] !== `${slot}/${generation}`)
        throw new Error('another OPEN than was sent');
      answer(slot);
    },
  }),
);

function answer(slot: number): void {
  const fields = ['x-slot', `${slot}/${end.claims.generationOf(slot)}`];
  if (!end.sendHead(slot, Flag.End | Flag.Final, 200, fields, BODY)) refused.push(slot);
}

function turn(): void {
  do {
    while (end.receive(32) > 0);
    for (const slot of refused.splice(0)) answer(slot);
  } while (!end.sleep());
}

turn();
