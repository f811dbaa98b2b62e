/** What one connection has seen, as plain numbers: the owner adds them up when it likes. */

import type { BudgetName } from './budgets.ts';
import { UnknownFrameType } from './frames.ts';

export class EngineCounters {
  /** Index: frame type; the last one counts unknown types. */
  readonly framesIn: number[] = new Array<number>(UnknownFrameType + 1).fill(0);
  readonly framesOut: number[] = new Array<number>(UnknownFrameType).fill(0);
  requests = 0;
  /** Requests and trailers that broke RFC 9113 section 8. */
  malformed = 0;
  /** Requests answered 431. */
  fieldsTooLarge = 0;
  /** Streams over the concurrency limit. */
  refused = 0;
  resetsByPeer = 0;
  resetsByEngine = 0;
  resetsByOwner = 0;
  /** Frames that came on streams we had reset. */
  lateFrames = 0;
  /** The budget that ended the connection. */
  abuse: BudgetName | 'continuation' | 'fieldBlock' | 'unsentOutput' | null = null;
}
