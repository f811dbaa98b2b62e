/**
 * Reports calls through `node:diagnostics_channel`, for traces and metrics. It creates nothing while nobody has
 * subscribed.
 *
 * The caller's thread publishes `sluice.actor.call.start` and `.end`, the actor's thread `sluice.actor.method.start`
 * and `.end`. Start and end of one call pass the same object, so a subscriber can use it as a key.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { CallFlag } from '../../wire/actors/messages.ts';
import { type TraceContext, traceContext } from './carried.ts';

export type CallKind = 'ask' | 'tell' | 'stream';

/** A call, in the caller's thread. */
export interface CallRecord {
  readonly actor: string;
  /** Empty unless the actor is keyed. */
  readonly key: string;
  readonly method: string;
  readonly kind: CallKind;
  readonly trace: TraceContext | undefined;
  /** Set at the end. For a tell the end is its arrival in the mailbox, for a stream the end of the stream. */
  durationMs?: number;
  /** Set at the end, if it failed. */
  error?: unknown;
}

/** A method, in the actor's thread. */
export interface MethodRecord {
  readonly actor: string;
  readonly key: string;
  readonly method: string;
  readonly kind: CallKind;
  readonly trace: TraceContext | undefined;
  /** The time since the thread received it. */
  readonly waitMs: number;
  /** Set at the end. */
  runMs?: number;
  /** Set at the end, if it threw or returned something that cannot be sent. */
  failed?: boolean;
}

const callStart = channel('sluice.actor.call.start');
const callEnd = channel('sluice.actor.call.end');
const methodStart = channel('sluice.actor.method.start');
const methodEnd = channel('sluice.actor.method.end');

interface Settling {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Null: there is no subscriber. */
export function callStarts(actor: string, key: string, method: string, flags: number): CallRecord | null {
  if (!callStart.hasSubscribers && !callEnd.hasSubscribers) return null;
  const record: CallRecord = { actor, key, method, kind: kindOf(flags), trace: traceContext.getStore() };
  callStart.publish(record);
  return record;
}

export function callFails(record: CallRecord | null, error: unknown): void {
  if (record === null) return;
  record.durationMs = 0;
  record.error = error;
  callEnd.publish(record);
}

/** The same settling, told. */
export function told(record: CallRecord, { resolve, reject }: Settling): Settling {
  const startMs = performance.now();
  // A turn settles many calls: what a subscriber enters is its own caller's.
  const publish = AsyncLocalStorage.bind(() => callEnd.publish(record));
  return {
    resolve: (value) => {
      record.durationMs = performance.now() - startMs;
      publish();
      resolve(value);
    },
    reject: (error) => {
      record.durationMs = performance.now() - startMs;
      record.error = error;
      publish();
      reject(error);
    },
  };
}

export function methodsAreWatched(): boolean {
  return methodStart.hasSubscribers || methodEnd.hasSubscribers;
}

/** In the context of the call. */
export function methodStarts(
  actor: string,
  key: string,
  method: string,
  flags: number,
  waitMs: number,
): MethodRecord {
  const kind = kindOf(flags);
  const record: MethodRecord = { actor, key, method, kind, trace: traceContext.getStore(), waitMs };
  methodStart.publish(record);
  return record;
}

export function methodEnds(record: MethodRecord, runMs: number, failed: boolean): void {
  record.runMs = runMs;
  record.failed = failed;
  methodEnd.publish(record);
}

function kindOf(flags: number): CallKind {
  if ((flags & CallFlag.Tell) !== 0) return 'tell';
  return (flags & CallFlag.Streams) !== 0 ? 'stream' : 'ask';
}
