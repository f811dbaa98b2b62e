/** What threads have cost beside their jobs: wake-ups in both directions, and time of garbage collections. */
import type { Thread } from './thread.ts';

export class ThreadCosts {
  /** How often the reactor has woken them, and they the reactor. */
  doorbellsTo = 0;
  doorbellsFrom = 0;
  collectingMs = 0;

  /** Adds what a thread has cost up to now. */
  add({ channel, vitals }: Pick<Thread, 'channel' | 'vitals'>): void {
    this.doorbellsTo += channel.doorbellsRung;
    this.doorbellsFrom += channel.doorbellsHeard;
    this.collectingMs += vitals.collectingMs;
  }

  addAll({ doorbellsTo, doorbellsFrom, collectingMs }: ThreadCosts): void {
    this.doorbellsTo += doorbellsTo;
    this.doorbellsFrom += doorbellsFrom;
    this.collectingMs += collectingMs;
  }
}
