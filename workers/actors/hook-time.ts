/** The time limit of `start` and `stop` of an instance. What a hook does after its time is over is ignored. */
import type { ActorSettings } from '../../wire/actors/boot.ts';
import { type Clock, RunningTimer } from '../../wire/running-timer.ts';
import { ActorError, ActorErrorCode } from './error.ts';

export type Hook = 'start' | 'stop';

const WHAT_THEN = {
  start: 'The next call makes another instance',
  stop: 'The next instance starts with what this one has saved so far',
} as const;

/** A timeout that this runtime has detected. A hook may itself throw an `ActorError` of a call that it has made. */
export class HookTimeoutError extends ActorError {
  constructor(hook: Hook, actor: string, timeoutMs: number) {
    const code = hook === 'start' ? ActorErrorCode.StartTimeout : ActorErrorCode.StopTimeout;
    const advice = `give what it awaits a shorter time, or raise $.actors.${actor}.${hook}TimeoutMs`;
    super(
      code,
      `${actor}: expected ${hook}() to settle within ${timeoutMs} ms, it has not. ${WHAT_THEN[hook]}; ${advice}`,
      { begun: 'no', by: 'actor' },
    );
  }
}

/**
 * @param given what the hook has returned
 * @returns it, or a promise for it that rejects with a HookTimeoutError when the hook's time is over
 */
export function withinTime(hook: Hook, settings: ActorSettings, given: unknown, clock: Clock): unknown {
  if (!(given instanceof Promise)) return given;
  const timeoutMs = hook === 'start' ? settings.startTimeoutMs : settings.stopTimeoutMs;
  const late = Promise.withResolvers<never>();
  const timer = new RunningTimer(
    timeoutMs,
    () => late.reject(new HookTimeoutError(hook, settings.name, timeoutMs)),
    clock,
  );
  // A hook that fails when its time is over has been reported already.
  return Promise.race([given, late.promise]).finally(() => timer.cancel());
}
