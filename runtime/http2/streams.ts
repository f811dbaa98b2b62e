/**
 * The connection's streams: the live ones, and the little that is kept about dead ones.
 *
 * Clients use one id after the other, so streams that are live together mostly have places of their own in a
 * table by `(id >> 1) & mask`. That is much faster than a map, from which every request reads, and to which it
 * adds and removes its stream.
 *
 * An id that is not live is idle if it is above every id that the peer has used, otherwise closed. How it was
 * closed is remembered only for the latest resets, in a ring of fixed size. An id below a forgotten one
 * counts as reset by the server, the most tolerant case. So a peer is never blamed for what it could not
 * know.
 */
import type { Http2Stream } from './stream.ts';
import { StreamState } from './stream-state.ts';

/**
 * Ranges of skipped ids that are remembered. Clients do not skip ids, so this only serves to name the right
 * error.
 */
const maxSkippedRanges = 8;

/** The table has as many places at first, and at most. It grows when more than half of them may be in use. */
const firstPlaces = 16;
const mostPlaces = 256;
/** The table of a connection without streams; never written to. */
const noPlaces: (Http2Stream | null)[] = [null];

export class Streams {
  #places = noPlaces;
  /**
   * Live streams whose places others have: those of long streams, and of ids that do not follow each other.
   */
  #others: Map<number, Http2Stream> | null = null;
  #count = 0;
  readonly #memorySize: number;
  /** Ids of reset streams; negative: reset by the peer. Allocated at the first reset. */
  #memory: Int32Array | null = null;
  #memoryPosition = 0;
  /** The greatest ids that the memory has dropped: [even, odd]. */
  readonly #forgottenIds: [even: number, odd: number] = [0, 0];
  /** first, last, first, last… of ids that the peer skipped. */
  #skipped: number[] | null = null;
  /** The greatest id that the peer has used. */
  lastPeerId = 0;
  /** The greatest id that the server has promised. */
  lastPushId = 0;
  /** Live streams that the server has opened. */
  pushCount = 0;

  constructor(memorySize: number) {
    this.#memorySize = memorySize;
  }

  get count(): number {
    return this.#count;
  }

  /** Live streams that the peer has opened, which SETTINGS_MAX_CONCURRENT_STREAMS limits. */
  get peerCount(): number {
    return this.#count - this.pushCount;
  }

  get(id: number): Http2Stream | undefined {
    const places = this.#places;
    const stream = places[(id >>> 1) & (places.length - 1)] as Http2Stream | null;
    if (stream !== null && stream.id === id) return stream;
    return this.#others === null ? undefined : this.#others.get(id);
  }

  add(stream: Http2Stream): void {
    this.#count++;
    if (this.#count * 2 > this.#places.length && this.#places.length < mostPlaces) this.#grow();
    this.#place(stream);
  }

  addPush(stream: Http2Stream): void {
    this.lastPushId = stream.id;
    this.pushCount++;
    this.add(stream);
  }

  #place(stream: Http2Stream): void {
    const places = this.#places;
    const place = (stream.id >>> 1) & (places.length - 1);
    if (places[place] === null) {
      places[place] = stream;
      return;
    }
    this.#others ??= new Map();
    this.#others.set(stream.id, stream);
  }

  #grow(): void {
    const streams = this.values();
    this.#places = new Array(Math.max(firstPlaces, 2 * this.#places.length)).fill(null);
    this.#others = null;
    for (const stream of streams) this.#place(stream);
  }

  /** @returns false if it was no longer live */
  remove(stream: Http2Stream): boolean {
    const places = this.#places;
    const place = (stream.id >>> 1) & (places.length - 1);
    if (places[place] === stream) places[place] = null;
    else if (this.#others === null || !this.#others.delete(stream.id)) return false;
    this.#count--;
    if ((stream.id & 1) === 0) this.pushCount--;
    return true;
  }

  /** The streams that are live now, by id. */
  values(): readonly Http2Stream[] {
    const streams = this.#places.filter((stream) => stream !== null);
    if (this.#others !== null) streams.push(...this.#others.values());
    return streams.sort((one, other) => one.id - other.id);
  }

  /** The peer has used a new id, which closes all lower idle ones (RFC 9113 section 5.1.1). */
  use(id: number): void {
    if (id > this.lastPeerId + 2 || (this.lastPeerId === 0 && id > 1)) {
      this.#skipped ??= [];
      if (this.#skipped.length < 2 * maxSkippedRanges) this.#skipped.push(this.lastPeerId + 1, id - 1);
    }
    this.lastPeerId = id;
  }

  /** Whether the id was skipped, as far as remembered. */
  wasSkipped(id: number): boolean {
    const skipped = this.#skipped;
    if (skipped === null) return false;
    for (let i = 0; i < skipped.length; i += 2) if (id >= skipped[i] && id <= skipped[i + 1]) return true;
    return false;
  }

  rememberReset(id: number, byPeer: boolean): void {
    this.#memory ??= new Int32Array(this.#memorySize);
    const forgotten = Math.abs(this.#memory[this.#memoryPosition] as number);
    if (forgotten > this.#forgottenIds[forgotten & 1]) this.#forgottenIds[forgotten & 1] = forgotten;
    this.#memory[this.#memoryPosition] = byPeer ? -id : id;
    this.#memoryPosition = (this.#memoryPosition + 1) % this.#memorySize;
  }

  /** The state of an id that is not live. */
  stateOfAbsent(id: number): StreamState {
    if (id > ((id & 1) === 0 ? this.lastPushId : this.lastPeerId)) return StreamState.Idle;
    const memory = this.#memory;
    if (memory !== null) {
      // The same id can be in the memory twice: reset by the peer, then by the server for what followed. The
      // peer has seen the server's reset last.
      if (memory.includes(id)) return StreamState.ClosedByOurReset;
      if (memory.includes(-id)) return StreamState.ClosedByPeerReset;
    }
    // The stream may be one that the server reset: its frames could still have been on their way.
    if (id <= this.#forgottenIds[id & 1]) return StreamState.ClosedByOurReset;
    return StreamState.ClosedByEnd;
  }
}
