/** The reasons why a call is refused or fails before its method runs. */
import { CallFlag } from '../../wire/actors/messages.ts';
import { ActorError, ActorErrorCode, type Begun } from './error.ts';
import type { HostedCall } from './hosted-call.ts';
import { aborted, type CalledActor, labelOf } from './made-call.ts';
import type { CallOptions } from './types.ts';

export function streamRefused(label: string, flags: number, places: readonly number[]): ActorError {
  const where =
    (flags & CallFlag.Tell) !== 0
      ? 'in a tell, because its caller sends nothing after the message'
      : 'in a call to each instance, because a stream can be read only once';
  return new ActorError(
    ActorErrorCode.MessageInvalid,
    `${label}: expected plain data ${where}, got a stream at arguments[${places[0]}]`,
    { begun: 'no', by: 'caller' },
  );
}

/** Why a call that is being made has been given up already; null: it has not. */
export function abortionOf(
  actor: CalledActor,
  method: string,
  running: HostedCall | undefined,
  options: CallOptions | undefined,
): ActorError | null {
  if (running?.aborted) return aborted(labelOf(actor, method), running.aborted.reason, 'no');
  const signal = options?.signal;
  return signal?.aborted === true ? aborted(labelOf(actor, method), signal.reason, 'no') : null;
}

export function overloaded(label: string, most: string): ActorError {
  return new ActorError(
    ActorErrorCode.Overloaded,
    `${label}: expected at most ${most} of this thread under way to this actor, and there are as many`,
    { begun: 'no', by: 'caller' },
  );
}

export function stopped(label: string, begun: Begun): ActorError {
  return new ActorError(ActorErrorCode.Stopped, `${label}: this thread stops`, { begun, by: 'server' });
}
