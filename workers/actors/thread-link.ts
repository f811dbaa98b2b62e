/** What calls and instances need from their thread. */
import type { ActorSettings } from '../../wire/actors/boot.ts';
import type { ActorCounters } from '../../wire/actors/counters.ts';
import type { ActorThreadEnd } from '../../wire/actors/thread-end.ts';
import type { PayloadLimits } from '../../wire/payload/forms.ts';
import type { Clock } from '../../wire/running-timer.ts';
import type { ActorContext } from './types.ts';

/** Writes one message; false: the ring is full. */
export type Send = (end: ActorThreadEnd, payload: Uint8Array) => boolean;

export interface ThreadLink {
  readonly end: ActorThreadEnd;
  readonly counters: ActorCounters;
  /** Messages that wait for room in the ring. */
  readonly unsentMessages: number;
  /** True while messages can be sent. */
  readonly isOpen: boolean;
  /** `clockMilliseconds` at the beginning of the last turn. */
  readonly turnClockMs: number;
  /** See `Turns.isLateAt`. */
  readonly isLate: boolean;
  /** The same for a caller that has just read the clock. @param nowMs `performance.now()` */
  isLateAt(nowMs: number): boolean;
  limitsOf(actor: number): PayloadLimits;
  contextOf(settings: ActorSettings, key: string, restart: (reason?: unknown) => void): ActorContext;
  /** Sends a message, now or when there is room. The payload is copied if it has to wait. */
  send(bytes: Uint8Array, length: number, send: Send): void;
  requestTurn(): void;
  /** A timer that counts only time in which the process ran. Callbacks run outside every application's context. */
  readonly clock: Clock;
  /** As above. */
  setTimer(callback: () => void, afterMs: number): object;
  clearTimer(timer: object | undefined): void;
}
