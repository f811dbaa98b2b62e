/** What one connection has seen, as plain numbers that its owner reads when it needs them. */

import { UnknownFrameType } from './frames.ts';
import type { BudgetName } from './options.ts';

/**
 * A budget, or a limit that no honest peer comes near: of CONTINUATION frames, of a field block, of output
 * that the peer does not read.
 */
export type Abuse = BudgetName | 'continuation' | 'fieldBlock' | 'unsentOutput';

export class EngineCounters {
  /** Indexed by frame type; the last element counts unknown types. */
  readonly framesIn: number[] = new Array<number>(UnknownFrameType + 1).fill(0);
  readonly framesOut: number[] = new Array<number>(UnknownFrameType).fill(0);
  requests = 0;
  /** Streams whose request and response were both sent in full. */
  completed = 0;
  /** Requests and trailers that broke RFC 9113 section 8. */
  malformed = 0;
  /** Requests answered with 431. */
  fieldsTooLarge = 0;
  /** DATA frames with content that arrived on live streams. */
  contentFramesIn = 0;
  /** DATA frames with content that the peer's windows did not cut to a crumb. */
  dataFramesOut = 0;
  /** Their content in KiB; each frame counts at least 1. */
  dataKibibytesOut = 0;
  /** Streams refused over the concurrency limit. */
  refused = 0;
  resetsByPeer = 0;
  resetsByEngine = 0;
  resetsByOwner = 0;
  /** Frames on closed streams. */
  lateFrames = 0;
  /** The abuse that ended the connection. */
  abuse: Abuse | null = null;
}
