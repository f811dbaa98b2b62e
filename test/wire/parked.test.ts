/**
 * The owner of an end parks what a full ring refuses. Whatever else is sent in the meantime, and wherever the
 * other side frees room in between, the two sides never sleep while anything is parked.
 */
import test from 'ava';
import fc from 'fast-check';
import { hardwareAtomics } from '../../wire/atomics.ts';
import { explore, type Run, runOnce } from './interleaving/explore.ts';
import { channelMemory, expect, Peers, zero } from './interleaving/memory.ts';
import { ParkingOwner } from './interleaving/parking-owner.ts';
import { Programs } from './interleaving/programs.ts';

const MOST_SWITCHES = 4;
const RING_BYTES = 256;
/**
 * Bytes of content; a message claims 40 more. Two large messages leave 64 bytes of the ring, into which the
 * small one does not fit, and no message is larger than the large one.
 */
const SMALL = 24;
const LARGE = 84;

const memory = channelMemory(RING_BYTES);
const peers = new Peers();
test.after.always(() => peers.close());
const peer = peers.on(...memory);

/**
 * A run in which the owner finds `filled` messages of 84 bytes in the ring, sends `lengths` and goes to
 * sleep.
 */
function sending(filled: number, lengths: readonly number[], counts: { refused: number }): Run {
  let owner: ParkingOwner;
  return {
    peer,
    program: Programs.ReceiveAndSleep,
    reset() {
      zero(...memory);
      const filler = new ParkingOwner(memory, hardwareAtomics);
      for (let i = 0; i < filled; i++) filler.send(LARGE);
      filler.end.publish();
      expect(filler.refused === 0, 'room for what fills the ring');
    },
    here(atomics) {
      owner = new ParkingOwner(memory, atomics);
      return () => {
        for (const length of lengths) owner.send(length);
        owner.turns();
      };
    },
    check() {
      owner.settle();
      counts.refused += owner.refused;
      expect(owner.parked.length === 0, `nothing is parked when both sleep, got ${owner.parked.join()}`);
      expect(owner.sent === lengths.length, 'all was sent');
    },
  };
}

const scenarios: readonly (readonly [what: string, lengths: readonly number[]])[] = [
  ['one that is refused', [LARGE]],
  ['a small one behind a large one', [LARGE, SMALL]],
  ['a large one behind a small one', [40, LARGE]],
  ['two that are refused and one that may pass', [LARGE, 60, SMALL]],
  ['requests that grow', [40, 60, LARGE]],
  ['requests that shrink', [LARGE, 60, 40]],
];
for (const [what, lengths] of scenarios) {
  test.serial(`no refused message is left parked: ${what}`, (t) => {
    const counts = { refused: 0 };
    const runs = explore(sending(2, lengths, counts), MOST_SWITCHES);
    t.log(`${runs} interleavings, ${counts.refused} refusals`);
    t.true(runs > 100 && counts.refused > 100);
  });
}

test.serial('no refused message is left parked: any messages under any interleaving', (t) => {
  const counts = { refused: 0 };
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 }),
      fc.array(fc.integer({ min: 0, max: LARGE }), { minLength: 2, maxLength: 10 }),
      fc.infiniteStream(fc.boolean()),
      (filled, lengths, schedule) => {
        runOnce(sending(filled, lengths, counts), () => schedule.next().value);
      },
    ),
    { numRuns: 400 },
  );
  t.log(`${counts.refused} refusals`);
  t.true(counts.refused > 100);
});
