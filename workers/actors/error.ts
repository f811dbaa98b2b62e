/** The error that a call of an actor fails with when it was not the method that failed. */

export const ActorErrorCode = {
  /** There is no actor of this name; the message lists those that there are. */
  Unknown: 'SLUICE_ACTOR_UNKNOWN',
  /** The actor has no such method. */
  MethodUnknown: 'SLUICE_ACTOR_METHOD_UNKNOWN',
  /** `of(key)` belongs to keyed actors, and a method without it to the others. */
  KeyInvalid: 'SLUICE_ACTOR_KEY_INVALID',
  /** Its mailbox, or what this thread may have under way to it, is full. */
  Overloaded: 'SLUICE_ACTOR_OVERLOADED',
  /** The deadline has passed. */
  Deadline: 'SLUICE_ACTOR_DEADLINE',
  /** The caller's signal was aborted, or the call that this one was made for. */
  Aborted: 'SLUICE_ACTOR_ABORTED',
  /** The thread ended while the method ran. */
  Died: 'SLUICE_ACTOR_DIED',
  /** The call waits, by way of others, for the instance that it was made from. */
  Cycle: 'SLUICE_ACTOR_CYCLE',
  /** `start` of the instance did not settle within `startTimeoutMs`. */
  StartTimeout: 'SLUICE_ACTOR_START_TIMEOUT',
  /** In the log: `stop` of an instance did not settle within `stopTimeoutMs`. */
  StopTimeout: 'SLUICE_ACTOR_STOP_TIMEOUT',
  /** The server, or this thread, stops. */
  Stopped: 'SLUICE_ACTOR_STOPPED',
  /** An argument or a reply is no plain data; the message has the path to it. */
  MessageInvalid: 'SLUICE_MESSAGE_INVALID',
  /** An argument or a reply has more bytes than `maxMessageBytes`. */
  MessageTooLarge: 'SLUICE_MESSAGE_TOO_LARGE',
} as const;
export type ActorErrorCode = (typeof ActorErrorCode)[keyof typeof ActorErrorCode];

/** Whether the method has begun; `unknown`: the caller gave up waiting before it heard. */
export type Begun = 'no' | 'yes' | 'unknown';
/** Who ended the call. */
export type EndedBy = 'caller' | 'actor' | 'server';

export interface ActorErrorDetails {
  readonly begun: Begun;
  readonly by: EndedBy;
  readonly cause?: unknown;
}

export class ActorError extends Error {
  override readonly name = 'ActorError';
  readonly code: ActorErrorCode;
  readonly begun: Begun;
  readonly by: EndedBy;
  /** The same call may succeed later, and does nothing twice. */
  readonly retryable: boolean;

  constructor(code: ActorErrorCode, message: string, { begun, by, cause }: ActorErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.begun = begun;
    this.by = by;
    this.retryable = begun === 'no' && RETRYABLE.has(code);
  }
}

const RETRYABLE: ReadonlySet<ActorErrorCode> = new Set<ActorErrorCode>([
  ActorErrorCode.Overloaded,
  ActorErrorCode.Deadline,
  ActorErrorCode.Stopped,
  ActorErrorCode.Died,
  ActorErrorCode.StartTimeout,
]);

const CODES: ReadonlySet<string> = new Set(Object.values(ActorErrorCode));

export function isActorErrorCode(code: string): code is ActorErrorCode {
  return CODES.has(code);
}
