/** A job that writes down what its thread says. */
import { Job, type Refusal } from '../../runtime/pools/job.ts';
import type { Thread } from '../../runtime/pools/thread.ts';
import { Flag } from '../../wire/messages.ts';
import type { Received } from '../wire/record.ts';

export class RecordingJob extends Job {
  readonly name: string;
  readonly said: Received[] = [];
  readonly refusals: Refusal[] = [];
  /** Of the last refusal. */
  noThreadForMs = Number.NaN;
  readonly faults: unknown[] = [];
  /** Settles when the job is over or refused. */
  readonly over = Promise.withResolvers<void>();
  /** Settles with the thread's first inform. */
  readonly informed = Promise.withResolvers<void>();
  opened = 0;
  /** The name of the thread that it was given to last. */
  givenTo = '';
  released = 0;
  /** Its thread died with it. On a clock that stands at 0, a job that was ended counts as well. */
  lost = 0;
  overruns = 0;
  /** What it says of itself; null: nothing. */
  ownComputeTimeoutMs: number | null = null;
  /** Called by `sendPending`; its answer. */
  onRoom: () => boolean = () => true;
  onHeadSend: () => void = () => undefined;

  constructor(name = 'job') {
    super();
    this.name = name;
  }

  sendOpen(thread: Thread, slot: number, generation: number): boolean {
    const padding = ['x-padding', 'p'.repeat(40)];
    const sent = thread.channel.sendOpen(
      slot,
      generation,
      Flag.End,
      'GET',
      'http',
      '',
      `/${this.name}`,
      '2',
      '',
      0,
      0,
      padding,
      '',
    );
    if (sent) this.opened++;
    if (sent) this.givenTo = thread.name;
    return sent;
  }

  override get label(): string {
    return this.name;
  }

  override get computeTimeoutMs(): number | null {
    return this.ownComputeTimeoutMs;
  }

  override onOverrun(): void {
    this.overruns++;
  }

  sendPending(): boolean {
    return this.onRoom();
  }

  onReleased(): void {
    this.released++;
    if (this.releasedAtMs === 0) this.lost++;
    this.over.resolve();
  }

  onFault(error: unknown): void {
    this.faults.push(error);
  }

  onRefused(refusal: Refusal, noThreadForMs: number): void {
    this.refusals.push(refusal);
    this.noThreadForMs = noThreadForMs;
    this.over.resolve();
  }

  onHead(flags: number, status: number): void {
    this.said.push(['head', flags, status]);
    this.onHeadSend();
  }

  onInform(status: number): void {
    this.said.push(['inform', status]);
    this.informed.resolve();
  }

  onData(flags: number): void {
    this.said.push(['data', flags]);
  }

  onTrailers(fields: string[]): void {
    this.said.push(['trailers', fields]);
  }

  onCredit(granted: number, consumed: number): void {
    this.said.push(['credit', granted, consumed]);
  }

  onReset(code: number, reason: number): void {
    this.said.push(['reset', code, reason]);
  }
}
