/**
 * How the exchanges of a pool have ended: plain numbers, which their owner reads when it needs them. Each
 * exchange is counted once.
 */

export const Outcome = {
  /** Request and response were complete, whatever the status. */
  Complete: 'complete',
  /** The application threw, or returned without a complete response: 500, or a reset after the head. */
  Failed: 'failed',
  /** The application reset it. */
  ResetByApplication: 'resetByApplication',
  /** The peer reset it, or its connection was lost. */
  ResetByPeer: 'resetByPeer',
  /** The server reset it, because of a drain or an error of the connection. */
  ResetByServer: 'resetByServer',
  /** Its thread died after it had begun the exchange: 502, or a reset after the head. */
  Lost: 'lost',
  /** It missed a deadline: 408, 504, or a reset after the head. */
  TimedOut: 'timedOut',
  /** The server refused it before a thread saw it: 400, 404, 414, 501. */
  Refused: 'refused',
  /** Its content exceeded the limit: 413, or a reset after the head. */
  TooLarge: 'tooLarge',
  /**
   * 503, because the queue was full, the exchange waited too long, the pool had no thread for longer than it
   * could wait, or the pool drained.
   */
  QueueFull: 'queueFull',
  WaitedTooLong: 'waitedTooLong',
  NoThread: 'noThread',
  Draining: 'draining',
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

export class OutcomeCounters {
  /** Exchanges that have begun, over or not. */
  started = 0;
  complete = 0;
  failed = 0;
  resetByApplication = 0;
  resetByPeer = 0;
  resetByServer = 0;
  lost = 0;
  timedOut = 0;
  refused = 0;
  tooLarge = 0;
  queueFull = 0;
  waitedTooLong = 0;
  noThread = 0;
  draining = 0;
}
