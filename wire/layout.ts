/**
 * The byte layout of a ring in shared memory, and nothing else.
 *
 *   byte      0   write position      stored by the producer, loaded by the consumer
 *             4   ... padding to the next line
 *           128   read position       stored by the consumer, loaded by the producer
 *           132   ... padding
 *           256   sleeping            1: the consumer waits for a doorbell; set by it, cleared by it or by the producer that rings
 *           260   ... padding
 *           384   room wanted         bytes that the producer waits for, 0: none; set by it, cleared by the consumer
 *           388   ... padding
 *           512   committed position  stored by a producer that computes for a long time between publishes; see `RingProducer.expose`
 *           516   ... padding
 *           640   records             `capacity` bytes, a power of two
 *
 * A word has 128 bytes to itself: the adjacent-line prefetcher of x86 and the 128-byte lines of some ARM cores
 * would otherwise make two words that different threads write travel together.
 *
 * Positions count bytes since the ring was made, as 32-bit words that wrap; `position & (capacity - 1)` is the
 * offset of the record among the records, and `(write - read) | 0` the bytes in use, wrapped or not.
 *
 *   record    0        4                         4 + length      rounded up to 8
 *             ┌────────┬──────────────────────────┬──────────────────┐
 *             │ length │ message                  │ (not written)    │
 *             └────────┴──────────────────────────┴──────────────────┘
 *   padding   ┌────────┬─────────────────────────────────────────────┐
 *             │ -bytes │ (not written), to the end of the records    │
 *             └────────┴─────────────────────────────────────────────┘
 *
 * Records are contiguous. One that does not fit before the end is written at the start, and the rest of the end
 * becomes padding whose head holds its whole size, negated. Sizes are multiples of 8, so a head always fits.
 */

/** Indexes of the shared words in an Int32Array over the ring. */
export const WRITE_POSITION = 0;
export const READ_POSITION = 32;
export const SLEEPING = 64;
export const ROOM_WANTED = 96;
export const COMMITTED_POSITION = 128;

/** Where the records begin, in bytes and as an index into an Int32Array. */
export const RECORDS_OFFSET = 640;
export const RECORDS_INDEX = RECORDS_OFFSET >> 2;

/** Bytes before a record's message. */
export const RECORD_HEAD_BYTES = 4;

/**
 * Smallest and largest ring. Above 2^30 the difference of two positions would no longer fit into a signed
 * word.
 */
export const MIN_CAPACITY_BYTES = 64;
export const MAX_CAPACITY_BYTES = 2 ** 30;

/** Whether a ring can have this many record bytes: a power of two within the bounds. */
export function isCapacity(bytes: number): boolean {
  return (bytes | 0) === bytes && bytes >= MIN_CAPACITY_BYTES && (bytes & (bytes - 1)) === 0;
}

/** Bytes that a message of `length` bytes occupies in the ring. */
export function recordSize(length: number): number {
  return (length + RECORD_HEAD_BYTES + 7) & ~7;
}

/**
 * The longest message that an empty ring accepts at any position. Padding to the end may waste almost as much
 * as the record itself needs, and the two together must fit.
 */
export function maxMessageLength(capacity: number): number {
  return (capacity >> 1) - RECORD_HEAD_BYTES;
}
