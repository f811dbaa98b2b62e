/**
 * Frames that many sockets share, held until the thread's turn is over: what one socket is told in one turn leaves in one piece, and
 * sockets that are told the same share that as well. A message to a thousand sockets often comes with others, and for each piece the reactor
 * has a message to read and a write to make.
 */

/** A socket that holds frames back. */
export interface Holder {
  /** Sends what it holds, in one piece. */
  flushHeld(): void;
}

let holders: Holder[] = [];

/** It is flushed behind the microtasks that go on, so behind all that is told in them. */
export function flushSoon(holder: Holder): void {
  holders.push(holder);
  if (holders.length === 1) process.nextTick(flushAll);
}

function flushAll(): void {
  const flushed = holders;
  holders = [];
  for (const holder of flushed) holder.flushHeld();
  joinedFrames = [];
  joined = NOTHING;
}

const NOTHING = Buffer.alloc(0);
let joinedFrames: readonly Buffer[] = [];
let joined: Buffer = NOTHING;

/** The frames one behind the other; the same bytes as the last time when they are the same frames. */
export function join(frames: readonly Buffer[]): Buffer {
  if (frames.length === 1) return frames[0] as Buffer;
  if (frames.length !== joinedFrames.length || frames.some((frame, at) => frame !== joinedFrames[at])) {
    joinedFrames = frames;
    joined = Buffer.concat(frames);
  }
  return joined;
}
