/**
 * A channel between the reactor and one thread: a ring in each direction, a doorbell, and the claim table.
 * The reactor's thread calls `createChannel`, the other thread `openChannel`.
 *
 * A channel knows messages and their kinds. It does not know what an exchange is, and it runs no loop. Its
 * owner takes turns: after a wake or after other work it calls `receive`, acts, and calls `publish`. When a
 * few turns have brought nothing, it calls `sleep`. Polling a few turns before sleeping pays while work is in
 * flight, because a wake costs more than many messages.
 */

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { type AtomicWords, hardwareAtomics } from './atomics.ts';
import { allocateClaims } from './claims.ts';
import { PortDoorbell } from './doorbell.ts';
import { WireError, WireErrorCode } from './errors.ts';
import { isCapacity, MAX_CAPACITY_BYTES } from './layout.ts';
import { GRAMMAR_VERSION, type ReactorHandler, type ThreadHandler } from './messages.ts';
import { ReactorEnd } from './reactor-end.ts';
import { allocateRing } from './ring.ts';
import { ThreadEnd } from './thread-end.ts';
import { allocateVitals } from './vitals.ts';

export interface ChannelOptions {
  /**
   * Bytes of the ring to the thread: a power of two, at least 1 KiB. Default 1 MiB. A message is at most half
   * as long.
   */
  readonly requestRingBytes?: number;
  /** Bytes of the ring to the reactor; same rules as `requestRingBytes`. */
  readonly responseRingBytes?: number;
  /** Exchanges that can be open on the thread at once. Default 1024. */
  readonly slots?: number;
  /** Most body bytes in one record. Default 64 KiB, or a quarter of the smaller ring if that is less. */
  readonly maxDataRecordBytes?: number;
}

/** What the thread needs to open its end. Post it with `ports` in the transfer list. */
export interface ChannelTransfer {
  readonly version: number;
  readonly requests: SharedArrayBuffer;
  readonly responses: SharedArrayBuffer;
  readonly claims: SharedArrayBuffer;
  readonly vitals: SharedArrayBuffer;
  readonly maxDataRecordBytes: number;
  readonly port: MessagePort;
}

/**
 * @param atomics how this end accesses shared words; only tests pass anything but the machine's atomics
 * @throws WireError `SLUICE_WIRE_OPTION_INVALID`
 */
export function createChannel(
  handler: ReactorHandler,
  options: ChannelOptions = {},
  atomics: AtomicWords = hardwareAtomics,
): { reactor: ReactorEnd; transfer: ChannelTransfer; transferList: [MessagePort] } {
  const { requestRingBytes = 2 ** 20, responseRingBytes = 2 ** 20, slots = 1024 } = options;
  const quarter = Math.min(requestRingBytes, responseRingBytes) >> 2;
  const { maxDataRecordBytes = Math.min(65_536, quarter) } = options;
  requireRingBytes('requestRingBytes', requestRingBytes);
  requireRingBytes('responseRingBytes', responseRingBytes);
  requireWithin('slots', slots, 1, 2 ** 20);
  requireWithin('maxDataRecordBytes', maxDataRecordBytes, 1, quarter);
  const requests = allocateRing(requestRingBytes);
  const responses = allocateRing(responseRingBytes);
  const claims = allocateClaims(slots);
  const { port1, port2 } = new MessageChannel();
  const reactor = new ReactorEnd(handler, {
    outgoing: requests,
    incoming: responses,
    claims,
    maxDataRecordBytes,
    doorbell: (onRing) => new PortDoorbell(port1, onRing),
    atomics,
  });
  const version = GRAMMAR_VERSION;
  const vitals = allocateVitals(slots);
  const transfer = { version, requests, responses, claims, vitals, maxDataRecordBytes, port: port2 };
  return { reactor, transfer, transferList: [port2] };
}

/**
 * @param atomics as for `createChannel`
 * @throws WireError `SLUICE_WIRE_VERSION`
 */
export function openChannel(
  transfer: ChannelTransfer,
  handler: ThreadHandler,
  atomics: AtomicWords = hardwareAtomics,
): ThreadEnd {
  if (transfer.version !== GRAMMAR_VERSION) {
    throw new WireError(
      WireErrorCode.VersionMismatch,
      `channel: expected grammar version ${GRAMMAR_VERSION}, got ${transfer.version}`,
    );
  }
  return new ThreadEnd(handler, {
    outgoing: transfer.responses,
    incoming: transfer.requests,
    claims: transfer.claims,
    maxDataRecordBytes: transfer.maxDataRecordBytes,
    doorbell: (onRing) => new PortDoorbell(transfer.port, onRing),
    atomics,
  });
}

/** A smaller ring could not hold a request head of a useful size. */
const LEAST_RING_BYTES = 1024;

function requireRingBytes(option: string, value: number): void {
  if (isCapacity(value) && value >= LEAST_RING_BYTES) return;
  throw new WireError(
    WireErrorCode.OptionInvalid,
    `${option}: expected a power of two from ${LEAST_RING_BYTES} to ${MAX_CAPACITY_BYTES}, got ${value}`,
  );
}

function requireWithin(option: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new WireError(
    WireErrorCode.OptionInvalid,
    `${option}: expected an integer from ${least} to ${most}, got ${value}`,
  );
}
