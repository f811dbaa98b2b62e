/** What one connection has seen, as plain numbers: the owner adds them up when it likes. */

import { UnknownFrameType } from './frames.ts';
import type { BudgetName } from './options.ts';

/** A budget, or a limit that no honest peer comes near: of CONTINUATIONs, of a field block, of output that is not read. */
export type Abuse = BudgetName | 'continuation' | 'fieldBlock' | 'unsentOutput';

export class EngineCounters {
  /** Index: frame type; the last one counts unknown types. */
  readonly framesIn: number[] = new Array<number>(UnknownFrameType + 1).fill(0);
  readonly framesOut: number[] = new Array<number>(UnknownFrameType).fill(0);
  requests = 0;
  /** Streams whose messages were both sent whole. */
  completed = 0;
  /** Requests and trailers that broke RFC 9113 section 8. */
  malformed = 0;
  /** Requests answered 431. */
  fieldsTooLarge = 0;
  /** DATA frames with content that came on live streams. */
  contentFramesIn = 0;
  /** DATA frames with content that the peer's windows did not cut to a crumb. */
  dataFramesOut = 0;
  /** Their content in KiB, each frame's at least 1. */
  dataKibibytesOut = 0;
  /** Streams over the concurrency limit. */
  refused = 0;
  resetsByPeer = 0;
  resetsByEngine = 0;
  resetsByOwner = 0;
  /** Frames on streams that were closed. */
  lateFrames = 0;
  /** What ended the connection. */
  abuse: Abuse | null = null;
}
