/**
 * Channels for actors. They are built like those for exchanges and have another grammar. The reactor's thread calls `createActorChannel`,
 * the other thread `openActorChannel`.
 *
 * A direct channel joins two application threads. The reactor creates its memory and ports. The calling thread takes the reactor's end: it
 * uses the same messages, slots and generations, except for the messages that only the reactor sends.
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
 * Lower than the limits for exchanges, because calls are small and few are in flight between two threads. With the limits for exchanges, a
 * thread would see new calls only when the other had finished its turn, so the two would never work at the same time.
 */
const PUBLISH_FROM_BYTES = 256;
const RING_FROM_BYTES = 1_024;

export interface ActorChannelOptions {
  /** Bytes of each of the two rings, a power of two. No message is longer than half of it. */
  readonly ringBytes: number;
  /** Calls that the thread can be given at once. */
  readonly slots: number;
}

/** The parts of one end. Post them with `port` in the transfer list. */
export interface DirectTransfer {
  readonly version: number;
  readonly toThread: SharedArrayBuffer;
  readonly fromThread: SharedArrayBuffer;
  readonly claims: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** The end of the thread that calls. */
export interface DirectCallsTransfer extends DirectTransfer {
  /** Memory for `ActorCounters`: what the other thread reports about its work. */
  readonly counters: SharedArrayBuffer;
}

/** What a thread needs to open its end. Post it with its ports in the transfer list. */
export interface ActorChannelTransfer extends DirectTransfer {
  /** The port over which direct channels arrive; the thread reads it when it receives MEET. */
  readonly introductions: MessagePort;
}

/** The two ends of a direct channel, one for each thread. */
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
  // No message ever arrives on this port, so it must not keep the event loop alive.
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

/** The end that sends calls: the reactor's, or that of a thread that calls another thread directly. */
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
