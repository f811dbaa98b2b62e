/**
 * Writes field sections into the output: heads, trailers and promises, encoded and framed.
 *
 * Field sections are not flow-controlled, so they may leave while content waits. But the server must not hold
 * them in the output for a peer that does not read, because there they would count as what the peer makes the
 * server send. With `sectionLimitBytes` of unsent output there is no room for a section, and its owner keeps
 * it with its stream.
 */
import type { OutputChunk } from '../bytes/output-buffers.ts';
import type { FrameWriter } from './frame-writer.ts';
import { frameHeadBytes, initialMaxFrameBytes } from './frames.ts';
import type { HpackEncoder } from './hpack/encoder.ts';
import type { SendScheduler } from './scheduler.ts';
import type { Http2Stream } from './stream.ts';

const NO_FIELDS: readonly string[] = [];

export class SectionWriter {
  readonly #writer: FrameWriter;
  readonly #encoder: HpackEncoder;
  readonly #scheduler: SendScheduler;
  /** The unsent output at which field sections wait for the socket. */
  readonly #limitBytes: number;
  #beyondBytes = 0;

  constructor(writer: FrameWriter, encoder: HpackEncoder, scheduler: SendScheduler, limitBytes: number) {
    this.#writer = writer;
    this.#encoder = encoder;
    this.#scheduler = scheduler;
    this.#limitBytes = limitBytes;
  }

  /** True if a field section that is written now leaves at once, and no other one waits before it. */
  get hasRoom(): boolean {
    return this.#writer.unsentBytes < this.#limitBytes && !this.#scheduler.holdsSections;
  }

  /** True if a waiting field section could leave now. */
  get canSendHeld(): boolean {
    return this.#scheduler.holdsSections && this.#writer.unsentBytes < this.#limitBytes;
  }

  /** How far the last field section, which began below the limit, went beyond it. */
  get beyondBytes(): number {
    return this.#beyondBytes;
  }

  /**
   * Writes a head with `status`, or trailers if it is 0.
   * @param padTo pad the payload to a multiple of this
   * @param added more fields, whose values will not repeat
   */
  write(
    streamId: number,
    status: number,
    fields: readonly string[],
    endStream: boolean,
    padTo = 0,
    added: readonly string[] = NO_FIELDS,
  ): void {
    const encoder = this.#encoder;
    const addedBytes = added.length === 0 ? 0 : encoder.maxEncodedBytes(added);
    const chunk = this.#reserve(fields, (padTo === 0 ? 0 : padTo + 1) + addedBytes);
    const start = chunk.length + frameHeadBytes + (padTo === 0 ? 0 : 1);
    let end =
      status > 0
        ? encoder.encodeResponse(status, fields, chunk.buffer, start)
        : encoder.encodeFields(fields, chunk.buffer, start);
    if (addedBytes > 0) end = encoder.encodeOnce(added, chunk.buffer, end);
    if (padTo === 0) this.#writer.headers(chunk, streamId, endStream, end - start);
    else this.#writer.paddedHeaders(chunk, streamId, endStream, end - start, padTo);
  }

  /** Writes PUSH_PROMISE (RFC 9113 section 6.6) for the request of `stream`. */
  writePromise(parentId: number, stream: Http2Stream): void {
    const fields = [
      ':method',
      stream.method,
      ':scheme',
      stream.scheme,
      ':authority',
      stream.authority,
      ':path',
      stream.path,
      ...stream.fields,
    ];
    const chunk = this.#reserve(fields, 4);
    const start = chunk.length + frameHeadBytes;
    const end = this.#encoder.encodeFields(fields, chunk.buffer, start + 4);
    this.#writer.pushPromise(chunk, parentId, stream.id, end - start - 4);
    this.notePlaced();
  }

  /** A field section that began with room has been written. */
  notePlaced(): void {
    this.#beyondBytes = Math.max(0, this.#writer.unsentBytes - this.#limitBytes);
  }

  /**
   * Reserves room for a field block, for this many bytes before it, and for the frame heads that it may need.
   */
  #reserve(fields: readonly string[], prefixBytes: number): OutputChunk {
    const bound = prefixBytes + this.#encoder.maxEncodedBytes(fields);
    // Includes the heads of CONTINUATIONs, which hardly any block needs.
    const heads = frameHeadBytes * (1 + Math.floor(bound / initialMaxFrameBytes));
    return this.#writer.reserve(heads + bound);
  }
}
