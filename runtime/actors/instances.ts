/**
 * Where the instances of keyed and single actors live, and when an instance stops: because its thread ends, because it has been idle for
 * long enough, or because it is to live elsewhere. A mailbox outlives its instance as long as it has calls or conversations.
 */
import { RestartNews } from '../../wire/actors/messages.ts';
import { corrupt } from '../../wire/decoder.ts';
import type { Delivery } from './delivery.ts';
import type { DirectChannels } from './direct.ts';
import type { FailurePayloads } from './failure-payloads.ts';
import type { ActorLink, InstanceOwner } from './link.ts';
import type { DirectoryActor, Mailbox } from './mailbox.ts';
import type { DirectoryObserver } from './observer.ts';
import type { ActorTurns } from './turns.ts';

export class Instances implements InstanceOwner {
  readonly #actors: readonly DirectoryActor[];
  readonly #turns: ActorTurns;
  readonly #delivery: Delivery;
  readonly #direct: DirectChannels;
  readonly #failures: FailurePayloads;
  readonly #observer: DirectoryObserver;

  constructor(
    actors: readonly DirectoryActor[],
    turns: ActorTurns,
    delivery: Delivery,
    direct: DirectChannels,
    failures: FailurePayloads,
    observer: DirectoryObserver,
  ) {
    this.#actors = actors;
    this.#turns = turns;
    this.#delivery = delivery;
    this.#direct = direct;
    this.#failures = failures;
    this.#observer = observer;
  }

  /** Stops the instance once it has ended the calls that it has begun. Calls that arrive meanwhile wait for its next thread. */
  move(mailbox: Mailbox): void {
    if (mailbox.state === 'stopping') return;
    mailbox.state = 'moving';
    this.#direct.callBackOf(mailbox);
    if (mailbox.given > 0 || mailbox.conversations > 0) return;
    mailbox.state = 'stopping';
    const { link, actor, key } = mailbox;
    link?.send(0, () => link.end.sendStop(actor.index, key));
  }

  /** The instance has stopped, or its thread is gone: the next call may start it in any thread. */
  displace(mailbox: Mailbox): void {
    if (mailbox.link !== null) mailbox.actor.placed--;
    mailbox.link?.mailboxes.delete(mailbox);
    mailbox.link?.blocked.delete(mailbox);
    mailbox.link = null;
    mailbox.state = 'open';
    mailbox.actor.idle.delete(mailbox);
  }

  /**
   * A call or a conversation of the mailbox is over: the next call may go, the instance may move, or the instance is idle.
   * @param idleMs for how long the instance has been idle already
   */
  onWorkOver(mailbox: Mailbox, idleMs = 0): void {
    const { actor } = mailbox;
    if (mailbox.state === 'moving') this.move(mailbox);
    if (mailbox.head !== null) this.#delivery.pump(mailbox);
    // A part of a call for each has given its place in the thread back to what any thread may take.
    const shared = mailbox.isTarget ? actor.mailboxes.get('') : undefined;
    if (shared !== undefined && shared.head !== null) this.#delivery.pump(shared);
    if (mailbox.messages > 0 || mailbox.conversations > 0 || actor.settings.kind !== 'keyed') return;
    if (mailbox.link === null) this.#forget(mailbox);
    else if (mailbox.state !== 'open') return;
    // The tick that called its conversation back is the one at which the instance was due to stop.
    else if (idleMs >= actor.settings.idleMs) this.move(mailbox);
    else actor.idle.add(mailbox, this.#turns.nowMs, idleMs);
  }

  /** Stops the instances that have been idle for as long as their actor's `idleMs`. */
  stopIdle(nowMs: number): void {
    for (const actor of this.#actors) {
      for (const mailbox of actor.idle.takeSince(nowMs - actor.settings.idleMs)) this.move(mailbox);
      for (const mailbox of actor.unplaced) this.#delivery.pump(mailbox);
    }
  }

  #forget(mailbox: Mailbox): void {
    const { actor, key } = mailbox;
    actor.unplaced.delete(mailbox);
    actor.mailboxes.delete(key);
  }

  // ---- InstanceOwner

  onStopped(link: ActorLink, index: number, key: string, failure: Buffer | null): void {
    const mailbox = this.#actors[index]?.mailboxes.get(key);
    if (mailbox === undefined || mailbox.link !== link || mailbox.state !== 'stopping') return;
    if (failure !== null) {
      this.#observer.onStopFailed(mailbox.actor.settings.name, key, this.#failures.report(failure));
    }
    this.displace(mailbox);
    if (mailbox.messages === 0 && mailbox.conversations === 0) this.#forget(mailbox);
    else this.#delivery.pump(mailbox);
    link.leaveIfEmpty();
  }

  onRestart(link: ActorLink, index: number, key: string, news: number, why: Buffer): void {
    const actor = this.#actors[index];
    if (actor === undefined || actor.settings.pool !== link.pool) {
      throw corrupt('an actor of the pool', `actor ${index}`);
    }
    const { name } = actor.settings;
    const report = this.#failures.report(why);
    if (news === RestartNews.StopFailed) this.#observer.onStopFailed(name, key, report);
    else if (news === RestartNews.StartFailed) this.#observer.onStartFailed(name, key, report);
    else {
      actor.tally.restarts++;
      this.#observer.onRestart(name, key, link.name, report);
    }
  }
}
