/**
 * The life of a stream (RFC 9113 section 5.1) as a table: (state, input) → (effect, next state).
 *
 * It knows nothing about the contents of frames or about HTTP. A pair that is absent is illegal: for a
 * received input it is a connection error PROTOCOL_ERROR, for a sent one a bug in the engine. `closed` is
 * three states, because what may still arrive depends on how the stream ended. After the server's RST_STREAM
 * the peer cannot know yet; after END_STREAM in both directions it must.
 */
import { ErrorCode } from './errors.ts';

/** The closed states come last: `state >= StreamState.ClosedByEnd` is a closed stream. */
export const StreamState = {
  Idle: 0,
  Open: 1,
  /** The peer has ended its side; the server may still send. */
  HalfClosedRemote: 2,
  /** The server has ended its side; the peer may still send. */
  HalfClosedLocal: 3,
  /** The server has promised a response on the stream (8.4) and has not begun to send it. */
  ReservedLocal: 4,
  /** Both sides have ended. Also the state of ids that were skipped or that are no longer remembered. */
  ClosedByEnd: 5,
  ClosedByPeerReset: 6,
  ClosedByOurReset: 7,
} as const;
export type StreamState = (typeof StreamState)[keyof typeof StreamState];

export const StreamInput = {
  ReceiveHeaders: 0,
  ReceiveHeadersEnd: 1,
  ReceiveData: 2,
  ReceiveDataEnd: 3,
  ReceiveReset: 4,
  ReceiveWindowUpdate: 5,
  ReceivePriority: 6,
  SendHeaders: 7,
  SendHeadersEnd: 8,
  SendData: 9,
  SendDataEnd: 10,
  SendReset: 11,
} as const;
export type StreamInput = (typeof StreamInput)[keyof typeof StreamInput];

export const StreamEffect = {
  /** Received: deliver. Sent: write. */
  Proceed: 0,
  /** Nothing happens. */
  Ignore: 1,
  /** Send RST_STREAM with the code (5.4.2). */
  StreamError: 2,
  /** Send GOAWAY with the code (5.4.1). */
  ConnectionError: 3,
  /** The owner asked for something that cannot be sent. */
  Misuse: 4,
} as const;
export type StreamEffect = (typeof StreamEffect)[keyof typeof StreamEffect];

export interface Transition {
  readonly effect: StreamEffect;
  readonly next: StreamState;
  /** Only for the two errors. */
  readonly code: number;
}

const S = StreamState;
const E = StreamEffect;
const go = (next: StreamState): Transition => ({ effect: E.Proceed, next, code: ErrorCode.NoError });
const ignore = (next: StreamState): Transition => ({ effect: E.Ignore, next, code: ErrorCode.NoError });
const streamError = (code: number): Transition => ({ effect: E.StreamError, next: S.ClosedByOurReset, code });
const connectionError = (code: number, next: StreamState): Transition => ({
  effect: E.ConnectionError,
  next,
  code,
});

type Row = { readonly [K in keyof typeof StreamInput]?: Transition };

/** What may arrive in any closed state without harm. */
function closedRow(state: StreamState, onMessage: Transition): Row {
  return {
    ReceiveHeaders: onMessage,
    ReceiveHeadersEnd: onMessage,
    ReceiveData: onMessage,
    ReceiveDataEnd: onMessage,
    // Both may have crossed with the frame that closed the stream (5.1).
    ReceiveReset: ignore(state),
    ReceiveWindowUpdate: ignore(state),
    ReceivePriority: ignore(state),
    // The application cannot know yet that the stream is gone.
    SendHeaders: ignore(state),
    SendHeadersEnd: ignore(state),
    SendData: ignore(state),
    SendDataEnd: ignore(state),
    SendReset: ignore(state),
  };
}

const table: { readonly [K in keyof typeof StreamState]: Row } = {
  Idle: {
    ReceiveHeaders: go(S.Open),
    ReceiveHeadersEnd: go(S.HalfClosedRemote),
    ReceivePriority: ignore(S.Idle),
  },
  Open: {
    // A second field section is the trailer section and must end the request (8.1).
    ReceiveHeaders: streamError(ErrorCode.ProtocolError),
    ReceiveHeadersEnd: go(S.HalfClosedRemote),
    ReceiveData: go(S.Open),
    ReceiveDataEnd: go(S.HalfClosedRemote),
    ReceiveReset: go(S.ClosedByPeerReset),
    ReceiveWindowUpdate: go(S.Open),
    ReceivePriority: ignore(S.Open),
    SendHeaders: go(S.Open),
    SendHeadersEnd: go(S.HalfClosedLocal),
    SendData: go(S.Open),
    SendDataEnd: go(S.HalfClosedLocal),
    SendReset: go(S.ClosedByOurReset),
  },
  HalfClosedRemote: {
    ReceiveHeaders: streamError(ErrorCode.StreamClosed),
    ReceiveHeadersEnd: streamError(ErrorCode.StreamClosed),
    ReceiveData: streamError(ErrorCode.StreamClosed),
    ReceiveDataEnd: streamError(ErrorCode.StreamClosed),
    ReceiveReset: go(S.ClosedByPeerReset),
    ReceiveWindowUpdate: go(S.HalfClosedRemote),
    ReceivePriority: ignore(S.HalfClosedRemote),
    SendHeaders: go(S.HalfClosedRemote),
    SendHeadersEnd: go(S.ClosedByEnd),
    SendData: go(S.HalfClosedRemote),
    SendDataEnd: go(S.ClosedByEnd),
    SendReset: go(S.ClosedByOurReset),
  },
  HalfClosedLocal: {
    ReceiveHeaders: streamError(ErrorCode.ProtocolError),
    ReceiveHeadersEnd: go(S.ClosedByEnd),
    ReceiveData: go(S.HalfClosedLocal),
    ReceiveDataEnd: go(S.ClosedByEnd),
    ReceiveReset: go(S.ClosedByPeerReset),
    ReceiveWindowUpdate: go(S.HalfClosedLocal),
    ReceivePriority: ignore(S.HalfClosedLocal),
    SendReset: go(S.ClosedByOurReset),
  },
  ReservedLocal: {
    ReceiveReset: go(S.ClosedByPeerReset),
    ReceiveWindowUpdate: go(S.ReservedLocal),
    ReceivePriority: ignore(S.ReservedLocal),
    SendHeaders: go(S.HalfClosedRemote),
    SendHeadersEnd: go(S.ClosedByEnd),
    SendReset: go(S.ClosedByOurReset),
  },
  ClosedByEnd: closedRow(S.ClosedByEnd, connectionError(ErrorCode.StreamClosed, S.ClosedByEnd)),
  ClosedByPeerReset: closedRow(S.ClosedByPeerReset, streamError(ErrorCode.StreamClosed)),
  ClosedByOurReset: closedRow(S.ClosedByOurReset, ignore(S.ClosedByOurReset)),
};

const inputCount = Object.keys(StreamInput).length;
const cells: Transition[] = [];
for (const [stateName, state] of Object.entries(StreamState) as [keyof typeof StreamState, StreamState][]) {
  for (const [inputName, input] of Object.entries(StreamInput) as [keyof typeof StreamInput, StreamInput][]) {
    const illegal: Transition =
      input >= StreamInput.SendHeaders
        ? { effect: E.Misuse, next: state, code: ErrorCode.NoError }
        : connectionError(ErrorCode.ProtocolError, state);
    cells[state * inputCount + input] = table[stateName][inputName] ?? illegal;
  }
}

/** The effect of `input` on a stream in `state`. */
export function transition(state: StreamState, input: StreamInput): Transition {
  return cells[state * inputCount + input];
}
