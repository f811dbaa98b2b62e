/** Passes each message of a thread to the job that it belongs to. */
import { WireError, WireErrorCode } from '../../wire/errors.ts';
import { Flag, type ReactorHandler } from '../../wire/messages.ts';
import type { Job } from './job.ts';
import type { Tally } from './tally.ts';

/** The thread whose jobs these are. */
export interface JobHolder {
  /** The job's response has begun and continues. */
  onResponding(job: Job): void;
  /** The thread has sent the FINAL message of the job. */
  onLastMessage(job: Job): void;
  onWake(): void;
  onRingRoom(): void;
  onCorrupt(error: Error): void;
}

/**
 * A job throws one of two kinds of error. If the thread sent what it must not send, the channel is corrupt,
 * and the error is passed on to the channel. An internal error ends the job and what belongs to the job, but
 * neither the turn nor the messages after this one.
 */
export function blame(job: Job, error: unknown): void {
  if (error instanceof WireError && error.code === WireErrorCode.Corrupt) throw error;
  job.onFault(error);
}

export class JobReceiver implements ReactorHandler {
  /**
   * By slot. A slot without a job means that the thread has sent more after its FINAL message. That is
   * dropped and has no effect.
   */
  readonly #slots: (Job | null)[];
  readonly #holder: JobHolder;
  readonly #tally: Tally;

  constructor(slots: (Job | null)[], holder: JobHolder, tally: Tally) {
    this.#slots = slots;
    this.#holder = holder;
    this.#tally = tally;
  }

  onHead(
    slot: number,
    flags: number,
    status: number,
    fields: readonly string[],
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    this.#tally.responseBytes += end - start;
    try {
      job.onHead(flags, status, fields, bytes, start, end);
    } catch (error) {
      blame(job, error);
    }
    if ((flags & Flag.Final) !== 0) this.#holder.onLastMessage(job);
    else this.#holder.onResponding(job);
  }

  onInform(slot: number, status: number, fields: string[]): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    try {
      job.onInform(status, fields);
    } catch (error) {
      blame(job, error);
    }
  }

  onData(slot: number, flags: number, bytes: Uint8Array, start: number, end: number): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    this.#tally.responseBytes += end - start;
    try {
      job.onData(flags, bytes, start, end);
    } catch (error) {
      blame(job, error);
    }
    if ((flags & Flag.Final) !== 0) this.#holder.onLastMessage(job);
  }

  onTrailers(slot: number, flags: number, fields: string[]): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    try {
      job.onTrailers(fields);
    } catch (error) {
      blame(job, error);
    }
    if ((flags & Flag.Final) !== 0) this.#holder.onLastMessage(job);
  }

  onCredit(slot: number, granted: number, consumed: number): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    try {
      job.onCredit(granted, consumed);
    } catch (error) {
      blame(job, error);
    }
  }

  onReset(slot: number, flags: number, code: number, reason: number): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    try {
      job.onReset(code, reason);
    } catch (error) {
      blame(job, error);
    }
    if ((flags & Flag.Final) !== 0) this.#holder.onLastMessage(job);
  }

  onClosed(slot: number): void {
    const job = this.#slots[slot];
    if (job !== null && job !== undefined) this.#holder.onLastMessage(job);
  }

  onPush(slot: number, number: number, method: string, path: string, fields: string[]): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    try {
      job.onPush(number, method, path, fields);
    } catch (error) {
      blame(job, error);
    }
  }

  onPad(slot: number, toMultipleOf: number): void {
    const job = this.#slots[slot];
    if (job === null || job === undefined) return;
    try {
      job.onPad(toMultipleOf);
    } catch (error) {
      blame(job, error);
    }
  }

  onWake(): void {
    this.#holder.onWake();
  }

  onWritable(): void {
    this.#holder.onRingRoom();
  }

  onCorrupt(error: Error): void {
    this.#holder.onCorrupt(error);
  }
}
