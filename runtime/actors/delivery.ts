/**
 * Decides which thread gets a waiting call. A keyed or single actor lives in one thread. A call of a `pool` actor
 * goes to the thread with the least to do. If a thread computes and has not begun a call, the call moves to an idle
 * thread.
 */
import { ClaimState } from '../../wire/claims.ts';
import { clockMilliseconds } from '../../wire/clock.ts';
import type { ActorLink } from './link.ts';
import type { ActorCall, DirectoryActor, Link, Mailbox } from './mailbox.ts';
import type { ActorTurns } from './turns.ts';

/** Whose calls they are. */
export interface DeliveryOwner {
  /** Threads that can take calls may still come. */
  readonly isRunning: boolean;
  /** Nobody waits for the call, and its deadline passed while it waited. */
  onExpired(call: ActorCall): void;
  /** No thread is going to take what waits. */
  refuseWaiting(mailbox: Mailbox): void;
}

export class Delivery {
  readonly #actors: readonly DirectoryActor[];
  readonly #turns: ActorTurns;
  readonly #recallAfterMs: number;
  readonly #owner: DeliveryOwner;
  #alarm: NodeJS.Timeout | null = null;

  constructor(
    actors: readonly DirectoryActor[],
    turns: ActorTurns,
    recallAfterMs: number,
    owner: DeliveryOwner,
  ) {
    this.#actors = actors;
    this.#turns = turns;
    this.#recallAfterMs = recallAfterMs;
    this.#owner = owner;
  }

  close(): void {
    if (this.#alarm !== null) clearTimeout(this.#alarm);
    this.#alarm = null;
  }

  /**
   * Gives threads what waits, as far as they take it.
   * @param among of a `pool` actor, threads that may take it; default: all
   */
  pump(mailbox: Mailbox, among: readonly Link[] = mailbox.actor.links): void {
    for (let call = mailbox.head; call !== null; call = mailbox.head) {
      if (
        ((call.deadlineMs - clockMilliseconds(this.#turns.nowMs)) | 0) <= 0 &&
        call.caller === null &&
        call.broadcast === null
      ) {
        // Nobody else would look: a caller that waits gives its call up by itself.
        mailbox.remove(call);
        this.#owner.onExpired(call);
        continue;
      }
      const link = this.#linkFor(mailbox, among);
      if (link === null) {
        if (!this.#owner.isRunning && mailbox.actor.links.length === 0 && mailbox.state === 'open') {
          this.#owner.refuseWaiting(mailbox);
        }
        return;
      }
      if (!link.give(call, this.#turns.nowMs)) {
        link.blocked.add(mailbox);
        // Of a `pool` actor another thread may take it.
        if (mailbox.link === null) continue;
        return;
      }
      mailbox.remove(call);
    }
    mailbox.actor.unplaced.delete(mailbox);
    this.#setAlarm(mailbox.actor);
  }

  #linkFor(mailbox: Mailbox, among: readonly Link[]): Link | null {
    const { actor } = mailbox;
    const { kind, concurrency, aheadMessages } = actor.settings;
    const most = concurrency + aheadMessages;
    if (mailbox.isTarget) return mailbox.given < most ? mailbox.link : null;
    if (kind === 'pool') {
      if (actor.links.length === 0) actor.unplaced.add(mailbox);
      return actor.leastLoaded(most, among);
    }
    if (mailbox.state !== 'open' || mailbox.given >= most) return null;
    if (mailbox.link !== null) return mailbox.link;
    const link = actor.leastSettled();
    if (link === null) {
      actor.unplaced.add(mailbox);
      return null;
    }
    mailbox.link = link;
    actor.placed++;
    link.mailboxes.add(mailbox);
    return link;
  }

  pumpAll(): void {
    for (const actor of this.#actors) {
      for (const mailbox of [...actor.unplaced]) this.pump(mailbox);
      const shared = actor.settings.kind === 'pool' ? actor.mailboxes.get('') : undefined;
      if (shared !== undefined) this.pump(shared);
    }
  }

  /** The link's ring has room again. */
  onRoom(link: ActorLink): void {
    for (const mailbox of [...link.blocked]) {
      link.blocked.delete(mailbox);
      this.pump(mailbox);
      if (link.blocked.has(mailbox)) return;
    }
  }

  // ---- looking again

  /** Only where calls could go elsewhere is it of any use to look again. */
  #setAlarm(actor: DirectoryActor): void {
    if (this.#alarm !== null || actor.settings.kind !== 'pool' || actor.links.length < 2) return;
    this.#alarm = setTimeout(() => {
      this.#alarm = null;
      this.rebalance(performance.now());
    }, this.#recallAfterMs);
    this.#alarm.unref();
  }

  /** Calls of `pool` actors that a thread which computes has not begun go to one that has nothing to do. */
  rebalance(nowMs: number): void {
    this.#turns.nowMs = nowMs;
    const since = nowMs - this.#recallAfterMs;
    for (const actor of this.#actors) {
      if (actor.settings.kind !== 'pool' || actor.links.length < 2) continue;
      const mailbox = actor.mailboxes.get('');
      if (mailbox === undefined || mailbox.given === 0) continue;
      const idle = actor.links.filter((link) => link.givenOf(actor) === 0);
      if (idle.length > 0) this.#moveTo(idle, mailbox, since);
      this.pump(mailbox);
      this.#setAlarm(actor);
    }
  }

  /**
   * What threads have had for so long goes to those that had nothing. Each thread begins with the next one: where several compute for
   * somebody else, and so take nothing although they have nothing, it comes to each of them in turn.
   */
  #moveTo(idle: readonly Link[], mailbox: Mailbox, since: number): void {
    const { links } = mailbox.actor;
    for (const [at, link] of links.entries()) {
      if (idle.includes(link) || !this.#takeBackFrom(link, mailbox, since)) continue;
      const others = [...links.slice(at + 1), ...links.slice(0, at)];
      this.pump(
        mailbox,
        others.filter((other) => idle.includes(other)),
      );
    }
  }

  /** False: it has nothing to take back. */
  #takeBackFrom(link: Link, mailbox: Mailbox, since: number): boolean {
    let hasTaken = false;
    for (const call of link.given) {
      if (call.mailbox !== mailbox || call.givenAtMs > since) continue;
      if (link.end.claims.stateOf(call.slot) !== ClaimState.Queued || !link.takeBack(call)) continue;
      mailbox.putBack(call);
      hasTaken = true;
    }
    return hasTaken;
  }
}
