/**
 * Channels for actors: those of exchanges with another grammar. `createActorChannel` on the reactor's thread, `openActorChannel` on the
 * other.
 *
 * A direct channel joins two threads of applications. The reactor makes what it consists of, and the thread that calls has the reactor's
 * end of it: the same messages, slots and generations, without those that only the reactor sends.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { type AtomicWords, hardwareAtomics } from '../atomics.ts';
import { allocateClaims } from '../claims.ts';
import { PortDoorbell } from '../doorbell.ts';
import { WireError, WireErrorCode } from '../errors.ts';
import { allocateRing } from '../ring.ts';
import { ACTOR_GRAMMAR_VERSION, type ActorReactorHandler, type ActorThreadHandler } from './messages.ts';
import { ActorReactorEnd } from './reactor-end.ts';
import { ActorThreadEnd } from './thread-end.ts';

/**
 * Calls are small, and few are under way between two threads at a time. With the limits of exchanges one thread would only see them all
 * when the other has handled its own, so that the two would work in turn.
 */
const PUBLISH_FROM_BYTES = 256;
const RING_FROM_BYTES = 1_024;

export interface ActorChannelOptions {
  /** Bytes of each of the two rings, a power of two. No message is longer than half of it. */
  readonly ringBytes: number;
  /** Calls that the thread can be given at once. */
  readonly slots: number;
}

/** What an end is made of. Post it with `port` in the transfer list. */
export interface DirectTransfer {
  readonly version: number;
  readonly toThread: SharedArrayBuffer;
  readonly fromThread: SharedArrayBuffer;
  readonly claims: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** The end of the thread that calls. */
export interface DirectCallsTransfer extends DirectTransfer {
  /** For `ActorCounters`: what the other thread says of its work. */
  readonly counters: SharedArrayBuffer;
}

/** What a thread needs to open its end. Post it with its ports in the transfer list. */
export interface ActorChannelTransfer extends DirectTransfer {
  /** Where direct channels come from; read when MEET says so. */
  readonly introductions: MessagePort;
}

/** Of a direct channel: an end for each of two threads. */
export interface DirectChannelParts {
  readonly calls: DirectTransfer;
  readonly replies: DirectTransfer;
}

export function createActorChannel(
  handler: ActorReactorHandler,
  options: ActorChannelOptions,
  atomics: AtomicWords = hardwareAtomics,
): { reactor: ActorReactorEnd; introductions: MessagePort; transfer: ActorChannelTransfer } {
  const { calls, replies } = createDirectChannel(options);
  const { port1, port2 } = new MessageChannel();
  // Nobody writes to it, so it keeps nobody.
  port1.unref();
  return {
    reactor: openCallingEnd(calls, handler, atomics),
    introductions: port1,
    transfer: { ...replies, introductions: port2 },
  };
}

export function createDirectChannel({ ringBytes, slots }: ActorChannelOptions): DirectChannelParts {
  const memory = {
    version: ACTOR_GRAMMAR_VERSION,
    toThread: allocateRing(ringBytes),
    fromThread: allocateRing(ringBytes),
    claims: allocateClaims(slots),
  };
  const { port1, port2 } = new MessageChannel();
  return { calls: { ...memory, port: port1 }, replies: { ...memory, port: port2 } };
}

/** The end of whoever gives calls: the reactor, or a thread that speaks to another directly. */
export function openCallingEnd(
  { toThread, fromThread, claims, port }: DirectTransfer,
  handler: ActorReactorHandler,
  atomics: AtomicWords = hardwareAtomics,
): ActorReactorEnd {
  return new ActorReactorEnd(handler, {
    outgoing: toThread,
    incoming: fromThread,
    claims,
    maxDataRecordBytes: 0,
    doorbell: (onRing) => new PortDoorbell(port, onRing),
    atomics,
    publishFromBytes: PUBLISH_FROM_BYTES,
    ringFromBytes: RING_FROM_BYTES,
  });
}

/** @throws WireError `SLUICE_WIRE_VERSION` */
export function openActorChannel(
  { version, toThread, fromThread, claims, port }: DirectTransfer,
  handler: ActorThreadHandler,
  atomics: AtomicWords = hardwareAtomics,
): ActorThreadEnd {
  if (version !== ACTOR_GRAMMAR_VERSION) {
    throw new WireError(
      WireErrorCode.VersionMismatch,
      `channel: expected version ${ACTOR_GRAMMAR_VERSION} of the grammar of actors, got ${version}`,
    );
  }
  return new ActorThreadEnd(handler, {
    outgoing: fromThread,
    incoming: toThread,
    claims,
    maxDataRecordBytes: 0,
    doorbell: (onRing) => new PortDoorbell(port, onRing),
    atomics,
    publishFromBytes: PUBLISH_FROM_BYTES,
    ringFromBytes: RING_FROM_BYTES,
  });
}
