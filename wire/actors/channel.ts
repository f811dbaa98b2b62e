/** Channels for actors: those of exchanges with another grammar. `createActorChannel` on the reactor's thread, `openActorChannel` on the other. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { type AtomicWords, hardwareAtomics } from '../atomics.ts';
import { allocateClaims } from '../claims.ts';
import { PortDoorbell } from '../doorbell.ts';
import { WireError, WireErrorCode } from '../errors.ts';
import { allocateRing } from '../ring.ts';
import { ACTOR_GRAMMAR_VERSION, type ActorReactorHandler, type ActorThreadHandler } from './messages.ts';
import { ActorReactorEnd } from './reactor-end.ts';
import { ActorThreadEnd } from './thread-end.ts';

export interface ActorChannelOptions {
  /** Bytes of each of the two rings, a power of two. No message is longer than half of it. */
  readonly ringBytes: number;
  /** Calls that the thread can be given at once. */
  readonly slots: number;
}

/** What the thread needs to open its end. Post it with `port` in the transfer list. */
export interface ActorChannelTransfer {
  readonly version: number;
  readonly toThread: SharedArrayBuffer;
  readonly fromThread: SharedArrayBuffer;
  readonly claims: SharedArrayBuffer;
  readonly port: MessagePort;
}

export function createActorChannel(
  handler: ActorReactorHandler,
  { ringBytes, slots }: ActorChannelOptions,
  atomics: AtomicWords = hardwareAtomics,
): { reactor: ActorReactorEnd; transfer: ActorChannelTransfer } {
  const toThread = allocateRing(ringBytes);
  const fromThread = allocateRing(ringBytes);
  const claims = allocateClaims(slots);
  const { port1, port2 } = new MessageChannel();
  const reactor = new ActorReactorEnd(handler, {
    outgoing: toThread,
    incoming: fromThread,
    claims,
    maxDataRecordBytes: 0,
    doorbell: (onRing) => new PortDoorbell(port1, onRing),
    atomics,
  });
  return {
    reactor,
    transfer: { version: ACTOR_GRAMMAR_VERSION, toThread, fromThread, claims, port: port2 },
  };
}

/** @throws WireError `SLUICE_WIRE_VERSION` */
export function openActorChannel(
  { version, toThread, fromThread, claims, port }: ActorChannelTransfer,
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
  });
}
