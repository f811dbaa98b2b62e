/**
 * Frames that many sockets share, held until the thread's turn is over. Everything that one socket is sent in
 * one turn leaves in one piece, and sockets that are sent the same share that piece as well. A message to a
 * thousand sockets often comes together with others, and each piece costs the reactor one message to read and
 * one write.
 */

/** A socket that holds frames back. */
export interface Holder {
  /** Sends the held frames, in one piece. */
  flushHeld(): void;
}

let holders: Holder[] = [];

/** The flush runs after the current microtasks, and so after everything that they send. */
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

/** Joins the frames; if they are the same frames as last time, the result is the same bytes. */
export function join(frames: readonly Buffer[]): Buffer {
  if (frames.length === 1) return frames[0] as Buffer;
  if (frames.length !== joinedFrames.length || frames.some((frame, at) => frame !== joinedFrames[at])) {
    joinedFrames = frames;
    joined = Buffer.concat(frames);
  }
  return joined;
}
