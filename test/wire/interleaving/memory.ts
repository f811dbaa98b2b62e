/** What the interleaving tests share: memory in its initial state, and records to fill a ring with. */

import { allocateClaims } from '../../../wire/claims.ts';
import { allocateRing, type RingProducer } from '../../../wire/ring.ts';
import { Peer } from './peer.ts';

/** The peers of a test file; they end with the file. */
export class Peers {
  readonly #peers: Peer[] = [];

  on(...memory: SharedArrayBuffer[]): Peer {
    const peer = new Peer(memory);
    this.#peers.push(peer);
    return peer;
  }

  async close(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.close()));
  }
}

export function zero(...memory: readonly SharedArrayBuffer[]): void {
  for (const buffer of memory) new Int32Array(buffer).fill(0);
}

export function expect(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(what);
}

/** Publishes one record and returns what `publish` returned. */
export function publishOne(producer: RingProducer, length: number, value = 1): boolean {
  const offset = producer.claim(length);
  expect(offset >= 0, 'room for the record');
  producer.bytes.fill(value, offset, offset + length);
  producer.commit(length);
  return producer.publish();
}

/**
 * The requests, responses, claims and bells of a channel: the arguments of programs that run a whole thread's
 * end.
 */
export type ChannelMemory = readonly [
  SharedArrayBuffer,
  SharedArrayBuffer,
  SharedArrayBuffer,
  SharedArrayBuffer,
];

export function channelMemory(ringBytes: number): ChannelMemory {
  return [allocateRing(ringBytes), allocateRing(ringBytes), allocateClaims(4), new SharedArrayBuffer(8)];
}
