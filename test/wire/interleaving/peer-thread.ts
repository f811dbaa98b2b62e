/** The thread behind `Peer`. It parks before each shared access of the program that it runs. */

import { workerData } from 'node:worker_threads';
import { PeerState, PROGRAM, REPORT, REPORT_WORDS, STATE, stepped } from './peer.ts';
import { programs } from './programs.ts';

const { control, memory } = workerData as { control: Int32Array; memory: SharedArrayBuffer[] };
const report = control.subarray(REPORT, REPORT + REPORT_WORDS);
let isStepping = false;

const atomics = stepped(() => {
  if (isStepping) pause(PeerState.Parked);
});

/** Hands control to the test and waits until the test lets it continue. */
function pause(state: number): void {
  Atomics.store(control, STATE, state);
  Atomics.notify(control, STATE);
  while (Atomics.load(control, STATE) !== PeerState.Go) Atomics.wait(control, STATE, state);
}

while (Atomics.load(control, STATE) !== PeerState.Go) Atomics.wait(control, STATE, PeerState.Idle);
for (;;) {
  let outcome: number = PeerState.Done;
  try {
    isStepping = false;
    const run = programs[control[PROGRAM]](memory, atomics, report);
    isStepping = true;
    run();
  } catch (error) {
    console.error(error);
    outcome = PeerState.Failed;
  }
  pause(outcome);
}
