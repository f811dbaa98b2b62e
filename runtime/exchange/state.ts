/**
 * The states of an exchange, and what each event does in each state: all transitions of the reactor's side in
 * one table.
 *
 * A state says how much of the request has arrived and how much of the response was passed to the transport.
 * An event that is absent from the table does nothing: an event of a peer, a thread or a deadline may cross
 * with the end of the exchange.
 */

export const ExchangeState = {
  /** The request is still arriving, and no final head has been sent. */
  OpenUnanswered: 0,
  /** The response has begun. */
  OpenAnswering: 1,
  /** The response is complete, and the application may still be reading. */
  OpenAnswered: 2,
  /** The same three, when the request is complete. */
  WholeUnanswered: 3,
  WholeAnswering: 4,
  WholeAnswered: 5,
  /**
   * The request is no longer read, and nothing is added to the response. The transport's stream has yet to
   * close.
   */
  Finishing: 6,
  /**
   * The transport's stream is over, and both messages are complete. Request content that has arrived still
   * goes to the thread.
   */
  Complete: 7,
  /** The transport's stream was cut off before that. */
  Cut: 8,
} as const;
export type ExchangeState = (typeof ExchangeState)[keyof typeof ExchangeState];

export const ExchangeInput = {
  /** From the peer: content, and the last content or a trailer section. */
  ReceiveContent: 0,
  ReceiveEnd: 1,
  /** The transport's stream is over. */
  TransportComplete: 2,
  TransportReset: 3,
  /**
   * From the thread: an interim response, a head with more to follow, a complete response, content, the last
   * content or trailers.
   */
  SendInform: 4,
  SendHead: 5,
  SendWhole: 6,
  SendContent: 7,
  SendEnd: 8,
  /** The application has reset the exchange. */
  SendReset: 9,
  /** The server itself answers. */
  Answer: 10,
  /**
   * The rest of the response will not be sent, because the application has thrown or computes for too long.
   */
  Fail: 11,
  /**
   * As `Fail`. In addition, the rest of the request will not be read: its thread has finished or died, or the
   * request is larger than allowed.
   */
  GiveUp: 12,
  /** The exchange took too long. If no response has begun, the peer is told what was late. */
  Expire: 13,
  /** The exchange ends here, whatever has been sent. */
  Abort: 14,
} as const;
export type ExchangeInput = (typeof ExchangeInput)[keyof typeof ExchangeInput];

export const ExchangeEffect = {
  /** Nothing happens. Content that was received is consumed unread. */
  Ignore: 0,
  /** What was received or sent is passed on to the other side. */
  Proceed: 1,
  /** The server answers in the application's place. */
  Answer: 2,
  /** The transport's stream is reset. */
  BreakOff: 3,
  /** The transport is told that the rest of the request will not be read. */
  StopReading: 4,
} as const;
export type ExchangeEffect = (typeof ExchangeEffect)[keyof typeof ExchangeEffect];

export interface Transition {
  readonly effect: ExchangeEffect;
  readonly next: ExchangeState;
}

const S = ExchangeState;
const E = ExchangeEffect;
const go = (next: ExchangeState): Transition => ({ effect: E.Proceed, next });
/** The server answers. If the request is incomplete, the rest of it is not read. */
const answer = (next: ExchangeState): Transition => ({ effect: E.Answer, next });
const breakOff: Transition = { effect: E.BreakOff, next: S.Finishing };
const stopReading: Transition = { effect: E.StopReading, next: S.Finishing };
const complete = go(S.Complete);
const cut = go(S.Cut);

type Row = { readonly [K in keyof typeof ExchangeInput]?: Transition };

const table: { readonly [K in keyof typeof ExchangeState]: Row } = {
  OpenUnanswered: {
    ReceiveContent: go(S.OpenUnanswered),
    ReceiveEnd: go(S.WholeUnanswered),
    TransportComplete: complete,
    TransportReset: cut,
    SendInform: go(S.OpenUnanswered),
    SendHead: go(S.OpenAnswering),
    SendWhole: go(S.OpenAnswered),
    SendReset: breakOff,
    Answer: answer(S.Finishing),
    Fail: answer(S.Finishing),
    GiveUp: answer(S.Finishing),
    Expire: answer(S.Finishing),
    Abort: breakOff,
  },
  OpenAnswering: {
    ReceiveContent: go(S.OpenAnswering),
    ReceiveEnd: go(S.WholeAnswering),
    TransportComplete: complete,
    TransportReset: cut,
    SendContent: go(S.OpenAnswering),
    SendEnd: go(S.OpenAnswered),
    SendReset: breakOff,
    Fail: breakOff,
    GiveUp: breakOff,
    Expire: breakOff,
    Abort: breakOff,
  },
  OpenAnswered: {
    ReceiveContent: go(S.OpenAnswered),
    ReceiveEnd: go(S.WholeAnswered),
    TransportComplete: complete,
    TransportReset: cut,
    GiveUp: stopReading,
    Expire: breakOff,
    Abort: breakOff,
  },
  WholeUnanswered: {
    TransportComplete: complete,
    TransportReset: cut,
    SendInform: go(S.WholeUnanswered),
    SendHead: go(S.WholeAnswering),
    SendWhole: go(S.WholeAnswered),
    SendReset: breakOff,
    Answer: answer(S.WholeAnswered),
    Fail: answer(S.WholeAnswered),
    GiveUp: answer(S.WholeAnswered),
    Expire: answer(S.WholeAnswered),
    Abort: breakOff,
  },
  WholeAnswering: {
    TransportComplete: complete,
    TransportReset: cut,
    SendContent: go(S.WholeAnswering),
    SendEnd: go(S.WholeAnswered),
    SendReset: breakOff,
    Fail: breakOff,
    GiveUp: breakOff,
    Expire: breakOff,
    Abort: breakOff,
  },
  WholeAnswered: {
    TransportComplete: complete,
    TransportReset: cut,
    // The peer reads the response too slowly.
    Expire: breakOff,
    Abort: breakOff,
  },
  Finishing: {
    TransportComplete: complete,
    TransportReset: cut,
    Expire: breakOff,
    Abort: breakOff,
  },
  Complete: {},
  Cut: {},
};

const inputCount = Object.keys(ExchangeInput).length;
const cells: Transition[] = [];
for (const [stateName, state] of Object.entries(S) as [keyof typeof S, ExchangeState][]) {
  const ignore: Transition = { effect: E.Ignore, next: state };
  for (const [inputName, input] of Object.entries(ExchangeInput) as [
    keyof typeof ExchangeInput,
    ExchangeInput,
  ][]) {
    cells[state * inputCount + input] = table[stateName][inputName] ?? ignore;
  }
}

/** What `input` does to an exchange in `state`. */
export function transition(state: ExchangeState, input: ExchangeInput): Transition {
  return cells[state * inputCount + input];
}

/** True if more of the request may arrive and may be wanted. */
export function isRequestOpen(state: ExchangeState): boolean {
  return state <= S.OpenAnswered;
}

export function isUnanswered(state: ExchangeState): boolean {
  return state === S.OpenUnanswered || state === S.WholeUnanswered;
}

/** True if the response has begun and is incomplete. */
export function isAnswering(state: ExchangeState): boolean {
  return state === S.OpenAnswering || state === S.WholeAnswering;
}

/** The transport's stream is over. */
export function isOver(state: ExchangeState): boolean {
  return state >= S.Complete;
}
