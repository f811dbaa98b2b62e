/** The error of a call that failed for a reason other than an error of the method. */

export const ActorErrorCode = {
  /** The configuration has no actor of this name; the message lists the existing ones. */
  Unknown: 'SLUICE_ACTOR_UNKNOWN',
  /** The actor has no such method. */
  MethodUnknown: 'SLUICE_ACTOR_METHOD_UNKNOWN',
  /** `of(key)` was called on an actor without keys, or a method without it on a keyed actor. */
  KeyInvalid: 'SLUICE_ACTOR_KEY_INVALID',
  /** The mailbox is full, or this thread has too many calls to the actor in flight. */
  Overloaded: 'SLUICE_ACTOR_OVERLOADED',
  /** The deadline has passed. */
  Deadline: 'SLUICE_ACTOR_DEADLINE',
  /** The caller's signal was aborted, or the call within which this one was made was given up. */
  Aborted: 'SLUICE_ACTOR_ABORTED',
  /** The thread ended while the method ran. */
  Died: 'SLUICE_ACTOR_DIED',
  /** The call would wait, directly or through other calls, for the instance that makes it. */
  Cycle: 'SLUICE_ACTOR_CYCLE',
  /** `start` of the instance did not settle within `startTimeoutMs`. */
  StartTimeout: 'SLUICE_ACTOR_START_TIMEOUT',
  /** In the log: `stop` of an instance did not settle within `stopTimeoutMs`. */
  StopTimeout: 'SLUICE_ACTOR_STOP_TIMEOUT',
  /** The server or this thread is stopping. */
  Stopped: 'SLUICE_ACTOR_STOPPED',
  /** An argument or a reply is not plain data; the message contains the path to the value. */
  MessageInvalid: 'SLUICE_MESSAGE_INVALID',
  /** An argument or a reply has more bytes than `maxMessageBytes`. */
  MessageTooLarge: 'SLUICE_MESSAGE_TOO_LARGE',
} as const;
export type ActorErrorCode = (typeof ActorErrorCode)[keyof typeof ActorErrorCode];

/** Whether the method has begun. `unknown`: the caller gave up before it was told. */
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
  /** The method has not begun, and the same call may succeed later. */
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
