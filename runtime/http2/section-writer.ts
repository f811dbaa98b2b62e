/**
 * Field sections into the output: heads, trailers and promises, encoded and framed.
 *
 * Sections are not under flow control, so they may leave while content waits. But a peer that does not read must not make us hold them in
 * the output, where they would count as what the peer makes us answer: from `sectionLimitBytes` of unsent output on there is no room
 * for a section, and its owner keeps it with its stream.
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
  /** Unsent output at which sections wait for the socket. */
  readonly #limitBytes: number;
  #beyondBytes = 0;

  constructor(writer: FrameWriter, encoder: HpackEncoder, scheduler: SendScheduler, limitBytes: number) {
    this.#writer = writer;
    this.#encoder = encoder;
    this.#scheduler = scheduler;
    this.#limitBytes = limitBytes;
  }

  /** A section that is written now leaves at once, before no other that waits. */
  get hasRoom(): boolean {
    return this.#writer.unsentBytes < this.#limitBytes && !this.#scheduler.holdsSections;
  }

  /** A section that waits would leave now. */
  get canSendHeld(): boolean {
    return this.#scheduler.holdsSections && this.#writer.unsentBytes < this.#limitBytes;
  }

  /** How far the last section, which began below the limit, went beyond it. */
  get beyondBytes(): number {
    return this.#beyondBytes;
  }

  /**
   * A head with `status`, or trailers when it is 0.
   * @param padTo a multiple to pad the payload to
   * @param added more fields, whose values do not come again
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

  /** PUSH_PROMISE (RFC 9113 section 6.6) of the request that `stream` has. */
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

  /** A section has been written that began while there was room. */
  notePlaced(): void {
    this.#beyondBytes = Math.max(0, this.#writer.unsentBytes - this.#limitBytes);
  }

  /** Room for a field block with so many bytes in front of it, and the frame heads that it may need. */
  #reserve(fields: readonly string[], prefixBytes: number): OutputChunk {
    const bound = prefixBytes + this.#encoder.maxEncodedBytes(fields);
    // Those of CONTINUATIONs too, which hardly any block needs.
    const heads = frameHeadBytes * (1 + Math.floor(bound / initialMaxFrameBytes));
    return this.#writer.reserve(heads + bound);
  }
}
