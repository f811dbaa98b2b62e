/** How the exchanges of a pool have ended: plain numbers, which their owner reads when it likes. Each exchange is counted once. */

export const Outcome = {
  /** Request and response were whole, whatever the status. */
  Complete: 'complete',
  /** The application threw, or returned without a whole response: 500, or a reset behind the head. */
  Failed: 'failed',
  /** The application reset it. */
  ResetByApplication: 'resetByApplication',
  /** The peer reset it, or its connection was lost. */
  ResetByPeer: 'resetByPeer',
  /** The server did: a drain, an error of a connection. */
  ResetByServer: 'resetByServer',
  /** Its thread died after it had begun it: 502, or a reset behind the head. */
  Lost: 'lost',
  /** A deadline was over: 408, 504, or a reset behind the head. */
  TimedOut: 'timedOut',
  /** The server refused it before a thread saw it: 400, 404, 414, 501. */
  Refused: 'refused',
  /** Its content was more than is allowed: 413, or a reset behind the head. */
  TooLarge: 'tooLarge',
  /** The queue was full, or it waited too long, or the pool had no thread for longer than it could wait, or drained: 503. */
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
