/**
 * Waiting jobs, in the order of arrival. A more urgent job (RFC 9218) changes places with less urgent jobs of
 * its own source, and with no others. A client therefore cannot make another client wait longer by marking
 * its requests as urgent.
 */
import { type Job, JobList } from './job.ts';

/** RFC 9218 section 4.1: 0 is the most urgent. */
const URGENCIES = 8;

export class WaitingList extends JobList {
  /** How many jobs wait, by their urgency at arrival. */
  readonly #counts = new Uint32Array(URGENCIES);
  /** Older jobs stand before younger ones. */
  #isByAge = true;

  /** The job may be older than the last one, because its lane may have held it. */
  override push(job: Job): void {
    if (this.tail !== null && job.waitingSinceMs < this.tail.waitingSinceMs) this.#isByAge = false;
    super.push(job);
    this.#count(job);
    if (this.#hasLessUrgent(job.waitsAs)) this.#bringForward(job);
  }

  /** The job may be younger than the first one, because jobs return from one thread after another. */
  override unshift(job: Job): void {
    if (this.head !== null && job.waitingSinceMs > this.head.waitingSinceMs) this.#isByAge = false;
    super.unshift(job);
    this.#count(job);
  }

  override remove(job: Job): void {
    super.remove(job);
    (this.#counts[job.waitsAs] as number)--;
    if (this.size === 0) this.#isByAge = true;
  }

  /** The first job that arrived before that time. */
  waitingSinceBefore(ms: number): Job | null {
    for (let job = this.head; job !== null; job = job.next) {
      if (job.waitingSinceMs < ms) return job;
      if (this.#isByAge) return null;
    }
    return null;
  }

  #count(job: Job): void {
    job.waitsAs = job.urgency & (URGENCIES - 1);
    (this.#counts[job.waitsAs] as number)++;
  }

  #hasLessUrgent(urgency: number): boolean {
    for (let other = urgency + 1; other < URGENCIES; other++) {
      if ((this.#counts[other] as number) > 0) return true;
    }
    return false;
  }

  /** Moves the job past each less urgent job of its source, which takes the place that it leaves. */
  #bringForward(job: Job): void {
    const { source } = job;
    if (source === null) return;
    for (let other = job.previous; other !== null; ) {
      const before: Job | null = other.previous;
      if (other.source === source) {
        if (other.waitsAs <= job.waitsAs) return;
        this.#swap(other, job);
        this.#isByAge = false;
      }
      other = before;
    }
  }

  #swap(earlier: Job, later: Job): void {
    const before = earlier.previous;
    const after = later.next;
    const between = earlier.next === later ? null : (earlier.next as Job);
    const last = later.previous as Job;
    this.#link(before, later);
    this.#link(later, between ?? earlier);
    if (between !== null) this.#link(last, earlier);
    this.#link(earlier, after);
  }

  #link(one: Job | null, other: Job | null): void {
    if (one === null) this.head = other;
    else one.next = other;
    if (other === null) this.tail = one;
    else other.previous = one;
  }
}
