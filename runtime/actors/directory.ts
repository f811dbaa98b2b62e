/**
 * Where every actor is: which thread has which instance, what waits for it, and who waits for answers.
 *
 * All calls go through here, so one key has one instance in the process, whatever threads start, end or die meanwhile. A thread's
 * claim table says of each call whether it has begun; a call that has not can go elsewhere, one that has ends once.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ActorBoot } from '../../wire/actors/boot.ts';
import { sumOfCounts } from '../../wire/actors/counters.ts';
import { CallFlag, type Failure, How, RestartNews } from '../../wire/actors/messages.ts';
import { corrupt } from '../../wire/decoder.ts';
import { DEFAULT_MAX_ERROR_CHARS, type ErrorReport } from '../../wire/error-report.ts';
import type { TopicSettings } from '../../wire/topics/messages.ts';
import { Topics, type TopicsOptions } from '../topics/topics.ts';
import { refusalOf } from './admission.ts';
import { Broadcast } from './broadcast.ts';
import { Delivery, type DeliveryOwner } from './delivery.ts';
import { DirectChannels, type DirectLink, type DirectOptions } from './direct.ts';
import { Doomed } from './doomed.ts';
import { FailurePayloads } from './failure-payloads.ts';
import { ActorLink, type AttachingPool, type LinkOwner } from './link.ts';
import {
  ActorCall,
  type Ancestor,
  DirectoryActor,
  type DirectorySettings,
  type Link,
  type Mailbox,
} from './mailbox.ts';
import { ActorTurns } from './turns.ts';

/** What the directory tells of; the server logs it. */
export interface DirectoryObserver {
  /** A method that nobody waits for has failed. */
  onTellFailed(actor: string, key: string, error: ErrorReport): void;
  /** A message that was accepted was never handled to its end. */
  onTellLost(actor: string, key: string, why: string): void;
  onStopFailed(actor: string, key: string, error: ErrorReport): void;
  /** An instance begins anew, and says why. */
  onRestart(actor: string, key: string, thread: string, why: ErrorReport): void;
  /** It could not begin anew. */
  onStartFailed(actor: string, key: string, error: ErrorReport): void;
}

export interface DirectoryOptions {
  readonly actors: readonly DirectorySettings[];
  readonly topics: TopicSettings & TopicsOptions;
  readonly recallAfterMs: number;
  /** Default: no direct channels. */
  readonly direct?: DirectOptions & {
    /** Calls of one thread to one instance before they go over a channel of their own. */
    readonly afterCalls: number;
  };
  readonly maxErrorChars?: number;
}

/** What a thread that starts is given, and how its end is told. */
export interface AttachedThread {
  readonly boot: ActorBoot;
  /** To be transferred to the thread. */
  readonly ports: readonly MessagePort[];
  gone(): void;
}

export class ActorDirectory implements LinkOwner, DeliveryOwner {
  readonly notRead: Buffer;
  readonly topics: Topics;
  readonly direct: DirectChannels;
  readonly #actors: readonly DirectoryActor[];
  readonly #options: DirectoryOptions;
  readonly #observer: DirectoryObserver;
  readonly #turns: ActorTurns;
  readonly #links = new Set<ActorLink>();
  readonly #failures: FailurePayloads;
  readonly #abortThread = new WeakMap<ActorLink, (error: Error) => void>();
  #sequence = 0;
  #openMessages = 0;
  #state: 'running' | 'draining' | 'ended' = 'running';
  #whenEmpty: PromiseWithResolvers<void> | null = null;
  readonly #doomed: Doomed;
  readonly #delivery: Delivery;

  constructor(options: DirectoryOptions, observer: DirectoryObserver, turns = new ActorTurns()) {
    this.#options = options;
    this.#observer = observer;
    this.#turns = turns;
    this.topics = new Topics(options.topics);
    this.#doomed = new Doomed((call) => this.#endThreadOf(call), turns.now);
    this.#actors = options.actors.map((settings, index) => new DirectoryActor(index, settings));
    this.direct = new DirectChannels(options.direct ?? { maxChannels: 0 }, (mailbox, host, idleMs) => {
      this.#afterwards(mailbox, idleMs);
      this.#checkLeft(host as ActorLink);
      if (this.#whenEmpty !== null) this.#checkEmpty();
    });
    this.#delivery = new Delivery(this.#actors, turns, this.direct, options.recallAfterMs, this);
    this.#failures = new FailurePayloads(options.maxErrorChars);
    this.notRead = this.#failures.encode({
      code: 'SLUICE_ACTOR_OVERLOADED',
      message: 'the answer was dropped: this thread has not read the ones before it',
      begun: 'yes',
    });
  }

  get actors(): readonly DirectoryActor[] {
    return this.#actors;
  }

  /** Of the threads that there are. */
  get links(): ReadonlySet<ActorLink> {
    return this.#links;
  }

  /** Messages that were accepted and are not over. */
  get openMessages(): number {
    return this.#openMessages;
  }

  // ---- threads

  /** A thread starts. @param abort ends it, when its ring holds what it cannot have written */
  attach(name: string, pool: AttachingPool, abort: (error: Error) => void): AttachedThread {
    const link = new ActorLink(name, pool, this, this.#actors.length);
    this.#abortThread.set(link, abort);
    this.#links.add(link);
    this.#turns.add(link);
    for (const { index, manifest } of this.#actors) {
      if (manifest !== null) link.send(manifest.length, () => link.end.sendManifest(index, manifest));
    }
    const boot: ActorBoot = {
      channel: link.transfer,
      counters: link.counterMemory,
      thread: name,
      pool: pool.name,
      actors: this.#options.actors,
      topics: this.#options.topics,
      module: pool.module,
      directAfterCalls: this.#options.direct?.maxChannels ? this.#options.direct.afterCalls : 0,
      maxErrorChars: this.#options.maxErrorChars ?? DEFAULT_MAX_ERROR_CHARS,
    };
    return { boot, ports: [link.transfer.port, link.transfer.introductions], gone: () => this.#gone(link) };
  }

  onManifest(link: ActorLink, index: number, manifest: Buffer): void {
    const actor = this.#actors[index];
    if (actor === undefined || actor.settings.pool !== link.pool) {
      throw corrupt('an actor of the pool', `actor ${index}`);
    }
    if (actor.manifest === null || !actor.manifest.equals(manifest)) {
      actor.manifest = manifest;
      for (const each of this.#links) {
        each.send(manifest.length, () => each.end.sendManifest(index, manifest));
      }
    }
    if ((link.state !== 'starting' && link.state !== 'up') || actor.links.includes(link)) return;
    link.state = 'up';
    actor.links.push(link);
    const shared = actor.settings.kind === 'pool' ? actor.mailboxes.get('') : undefined;
    if (shared !== undefined) this.direct.callBackOf(shared);
    for (const mailbox of actor.unplaced) this.#delivery.pump(mailbox);
    if (shared !== undefined) this.#delivery.pump(shared);
  }

  onLeaving(link: ActorLink): void {
    this.#takeNoMore(link);
    link.state = 'leaving';
    this.direct.callBackFrom(link);
    for (const mailbox of link.mailboxes) if (mailbox.state === 'open') mailbox.state = 'moving';
    // What it has not begun goes elsewhere. The newest first: each then goes before all that waits.
    for (const call of [...link.given].reverse()) {
      // What is for this thread's own instance ends here.
      if (!call.mailbox.isTarget && link.takeBack(call)) call.mailbox.putBack(call);
    }
    for (const { targets } of this.#actors) {
      const target = targets.get(link);
      if (target !== undefined) this.refuseWaiting(target, `its thread ${link.name} is replaced`);
    }
    for (const mailbox of [...link.mailboxes]) this.#delivery.move(mailbox);
    this.#delivery.pumpAll();
    this.#checkLeft(link);
  }

  #takeNoMore(link: ActorLink): void {
    for (const actor of this.#actors) {
      const index = actor.links.indexOf(link);
      if (index !== -1) actor.links.splice(index, 1);
    }
  }

  onStopped(link: ActorLink, index: number, key: string, failure: Buffer | null): void {
    const mailbox = this.#actors[index]?.mailboxes.get(key);
    if (mailbox === undefined || mailbox.link !== link || mailbox.state !== 'stopping') return;
    if (failure !== null) {
      this.#observer.onStopFailed(mailbox.actor.settings.name, key, this.#failures.report(failure));
    }
    this.#delivery.unsettle(mailbox);
    if (mailbox.messages === 0 && mailbox.conversations === 0) this.#forget(mailbox);
    else this.#delivery.pump(mailbox);
    this.#checkLeft(link);
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

  #checkLeft(link: ActorLink): void {
    if (link.state !== 'leaving' || link.given.size > 0 || link.mailboxes.size > 0) return;
    if (link.hostedConversations > 0) return;
    link.state = 'left';
    link.send(0, () => link.end.sendLeft());
  }

  #gone(link: ActorLink): void {
    if (link.state === 'gone') return;
    this.#turns.readClock();
    const { unbegun, begun } = link.die();
    this.#links.delete(link);
    this.#turns.remove(link);
    this.#takeNoMore(link);
    for (const actor of this.#actors) actor.gone = sumOfCounts(actor.gone, link.counters.read(actor.index));
    for (const call of [...unbegun].reverse()) {
      if (call.mailbox.isTarget) this.#died(call, link, 'no');
      else call.mailbox.putBack(call);
    }
    for (const { targets } of this.#actors) {
      const target = targets.get(link);
      targets.delete(link);
      for (let call = target?.head ?? null; call !== null; call = target?.head ?? null) {
        target?.remove(call);
        this.#died(call, link, 'no');
      }
    }
    this.direct.gone(link);
    const unsettled = [...link.mailboxes];
    for (const mailbox of unsettled) this.#delivery.unsettle(mailbox);
    for (const call of begun) this.#died(call, link, 'yes');
    // Nobody waits for what it has asked.
    for (const call of [...link.calls.values()]) this.onCancel(link, call);
    for (const broadcast of [...link.broadcasts.values()]) this.onCancelEach(link, broadcast);
    for (const mailbox of unsettled) this.#afterwards(mailbox);
    this.#delivery.pumpAll();
  }

  #died(call: ActorCall, link: ActorLink, begun: 'no' | 'yes'): void {
    const { settings } = call.mailbox.actor;
    const when = begun === 'yes' ? 'while the method ran' : 'before the method began';
    const message = `${settings.name}: its thread ${link.name} ended ${when}`;
    this.#fail(call, 'SLUICE_ACTOR_DIED', message, begun);
    this.#over(call);
  }

  onCorrupt(link: ActorLink, error: Error): void {
    this.#takeNoMore(link);
    this.#abortThread.get(link)?.(error);
  }

  // ---- calls

  onCall(
    link: ActorLink,
    id: number,
    index: number,
    flags: number,
    deadlineMs: number,
    parent: Ancestor | null,
    key: string,
    payload: Buffer,
    conversation = -1,
  ): void {
    const actor = this.#actors[index];
    if (actor === undefined) throw corrupt('an actor of the configuration', `actor ${index}`);
    const isEach = (flags & CallFlag.Each) !== 0;
    const isKeyless = isEach || actor.settings.kind !== 'keyed';
    const isKnown = link.calls.has(id) || link.broadcasts.has(id);
    if ((isKeyless && key !== '') || key.length > actor.settings.maxKeyChars || isKnown) {
      throw corrupt(
        'a call of its own',
        `one of actor ${index} with a key, or a number, that it cannot have`,
      );
    }
    const { name } = actor.settings;
    if (isEach) {
      this.#broadcast(link, id, actor, flags, deadlineMs, parent, payload);
      return;
    }
    if (this.#state !== 'running' && actor.links.length === 0) {
      this.#refuse(link, id, actor, 'SLUICE_ACTOR_STOPPED', `${name}: the server stops`);
      return;
    }
    const mailbox = actor.mailboxOf(key);
    if (mailbox === null) {
      const most = `${name}: expected at most ${actor.settings.maxKeys} keys at once`;
      this.#refuse(link, id, actor, 'SLUICE_ACTOR_OVERLOADED', most);
      return;
    }
    const hasRoom = conversation !== -1 && this.direct.admit(link, conversation, mailbox, payload.length);
    const refusal = hasRoom ? null : refusalOf(mailbox, flags, parent, payload.length);
    if (refusal !== null) {
      // Others wait for what is set aside: the next one may find it.
      this.direct.callBackOf(mailbox);
      this.#refuse(link, id, actor, refusal.code, refusal.message);
      return;
    }
    const isTell = (flags & CallFlag.Tell) !== 0;
    const caller = isTell ? null : link;
    const sequence = this.#sequence++;
    const { nowMs } = this.#turns;
    const call = new ActorCall(caller, id, mailbox, flags, deadlineMs, payload, sequence, parent, nowMs);
    if (isTell) link.answer(id, How.Accepted, NOTHING, 0, 0);
    else link.calls.set(id, call);
    this.#accept(call);
  }

  /** A call for every instance that there is: one that is refused, or whose thread ends, has its part as well. */
  #broadcast(
    link: ActorLink,
    id: number,
    actor: DirectoryActor,
    flags: number,
    deadlineMs: number,
    parent: Ancestor | null,
    payload: Buffer,
  ): void {
    const { name, callerMessages } = actor.settings;
    const mailboxes = actor.instances();
    if (mailboxes.length > callerMessages) {
      const most = `${name}: expected at most ${callerMessages} instances in a call for each, there are ${mailboxes.length}`;
      this.#refuse(link, id, actor, 'SLUICE_ACTOR_OVERLOADED', most);
      return;
    }
    const broadcast = new Broadcast<ActorCall>(link, id, mailboxes.length);
    for (const mailbox of mailboxes) {
      const refusal = refusalOf(mailbox, flags, parent, payload.length);
      if (refusal !== null) {
        actor.tally.refused++;
        const failure = this.#failures.encode({ ...refusal, begun: 'no' });
        broadcast.part(How.Failed, mailbox.link?.name ?? '', mailbox.key, failure, 0, failure.length);
        continue;
      }
      const { nowMs } = this.#turns;
      const sequence = this.#sequence++;
      const call = new ActorCall(null, id, mailbox, flags, deadlineMs, payload, sequence, parent, nowMs);
      call.broadcast = broadcast;
      broadcast.calls.add(call);
      this.#accept(call);
    }
  }

  #accept(call: ActorCall): void {
    const { mailbox, payload } = call;
    const { actor } = mailbox;
    if ((call.flags & CallFlag.Joins) === 0) {
      actor.tally.accepted++;
      this.#openMessages++;
    }
    actor.messages++;
    actor.bytes += payload.length;
    mailbox.messages++;
    mailbox.bytes += payload.length;
    if (mailbox.messages === 1) actor.idle.delete(mailbox);
    if (mailbox.messages > actor.tally.deepest) actor.tally.deepest = mailbox.messages;
    mailbox.push(call);
    this.#delivery.pump(mailbox);
  }

  #refuse(link: ActorLink, id: number, actor: DirectoryActor, code: string, message: string): void {
    actor.tally.refused++;
    const failure = this.#failures.encode({ code, message, begun: 'no' });
    link.answer(id, How.Failed, failure, 0, failure.length);
  }

  onRoom(link: ActorLink): void {
    this.#delivery.onRoom(link);
  }

  onReply(link: ActorLink, call: ActorCall, how: number, bytes: Buffer, start: number, end: number): void {
    const { caller, mailbox } = call;
    const { actor, key } = mailbox;
    if ((call.flags & CallFlag.Joins) !== 0 && how === How.Value) {
      this.#onJoins(link, call);
      return;
    }
    actor.tally.queueWait.record(Math.max(0, Math.round((call.givenAtMs - call.acceptedAtMs) * 1_000)));
    if (caller !== null) {
      caller.calls.delete(call.id);
      caller.answer(call.id, how, bytes, start, end);
    } else if (call.broadcast !== null) {
      call.broadcast.part(how, link.name, key, bytes, start, end);
    } else if ((call.flags & CallFlag.Tell) !== 0 && how !== How.Value) {
      actor.tally.failedTells++;
      const failure = Buffer.from(bytes.subarray(start, end));
      this.#observer.onTellFailed(actor.settings.name, key, this.#failures.report(failure));
    }
    this.#over(call);
    this.#afterwards(mailbox);
    this.#checkLeft(link);
  }

  /** All that the caller had sent before has begun: from here on it may speak to the thread itself. */
  #onJoins(link: ActorLink, call: ActorCall): void {
    const { caller, id, mailbox } = call;
    this.#over(call);
    if (caller !== null) {
      caller.calls.delete(id);
      const joined =
        this.#state === 'running'
          ? this.direct.join(caller as DirectLink, link, mailbox, this.#turns.nowMs)
          : null;
      if (joined === null) {
        const message = `${mailbox.actor.settings.name}: no direct channel for it now`;
        const failure = this.#failures.encode({ code: 'SLUICE_ACTOR_OVERLOADED', message, begun: 'no' });
        caller.answer(id, How.Failed, failure, 0, failure.length);
      } else {
        const { number, channel, messages, bytes } = joined;
        caller.send(0, () => caller.end.sendJoined(id, number, channel.number, messages, bytes));
      }
    }
    this.#afterwards(mailbox);
    this.#checkLeft(link);
  }

  ancestorOf(
    link: ActorLink,
    channel: number,
    slot: number,
    generation: number,
    index: number,
    flags: number,
    key: string,
  ): Ancestor | null {
    const actor = this.#actors[index];
    if (actor === undefined) throw corrupt('an actor of the configuration', `actor ${index}`);
    return this.direct.ancestorOf(link, channel, slot, generation, actor, flags, key);
  }

  onBack(
    link: ActorLink,
    conversation: number,
    messages: number,
    bytes: number,
    made: number,
    idleMs: number,
  ): void {
    this.direct.onBack(link, conversation, messages, bytes, made, idleMs);
  }

  onParted(link: ActorLink, channel: number): void {
    this.direct.onParted(link, channel);
  }

  onItem(link: ActorLink, call: ActorCall, bytes: Buffer, start: number, end: number): void {
    const { caller, mailbox } = call;
    if (caller === null || caller.item(call.id, bytes, start, end)) return;
    // Its reader has credit for no more than its window, so this is a thread that reads nothing at all, of many streams.
    const { name } = mailbox.actor.settings;
    this.#fail(call, 'SLUICE_ACTOR_OVERLOADED', `${name}: this thread has not read what came before`, 'yes');
    call.caller = null;
    link.abort(call);
  }

  onInput(call: ActorCall, input: number, how: number, bytes: Buffer, start: number, end: number): void {
    const { link, mailbox } = call;
    // Nothing is asked of an input before the method has begun, so there is a thread for it.
    if (link === null || call.state !== 'given' || link.input(call, input, how, bytes, start, end)) return;
    const { name } = mailbox.actor.settings;
    this.#fail(call, 'SLUICE_ACTOR_OVERLOADED', `${name}: its thread has not read what came before`, 'yes');
    call.caller = null;
    link.abort(call);
  }

  onWant({ caller, id }: ActorCall, input: number, items: number): void {
    caller?.send(0, () => caller.end.sendWant(id, input, items));
  }

  onPull(call: ActorCall, items: number): void {
    const { link, slot, generation } = call;
    if (link !== null && call.state === 'given')
      link.send(0, () => link.end.sendPull(slot, generation, items));
  }

  onCancel(link: ActorLink, call: ActorCall): void {
    link.calls.delete(call.id);
    call.caller = null;
    this.#giveUp(call);
  }

  onCancelEach(link: ActorLink, broadcast: Broadcast<ActorCall>): void {
    link.broadcasts.delete(broadcast.id);
    for (const call of [...broadcast.calls]) {
      call.broadcast = null;
      this.#giveUp(call);
    }
    broadcast.calls.clear();
  }

  /** Nobody waits for it. */
  #giveUp(call: ActorCall): void {
    const { mailbox } = call;
    if (call.state === 'waiting') mailbox.remove(call);
    else if (call.state !== 'given' || !(call.link as Link).takeBack(call)) {
      // It runs, and is over when it has ended.
      if (call.state !== 'given') return;
      (call.link as Link).abort(call);
      if ((call.flags & CallFlag.Hard) !== 0) {
        this.#doomed.add(call, this.#turns.nowMs, mailbox.actor.settings.hardAbortGraceMs);
      }
      return;
    }
    this.#over(call);
    this.#afterwards(mailbox);
  }

  #fail(call: ActorCall, code: string, message: string, begun: Failure['begun']): void {
    const { caller, broadcast } = call;
    if (caller === null && broadcast === null) {
      this.#lose(call, message);
      return;
    }
    const failure = this.#failures.encode({ code, message, begun });
    if (caller === null) {
      const { link, key } = call.mailbox;
      broadcast?.part(How.Failed, link?.name ?? '', key, failure, 0, failure.length);
      return;
    }
    caller.calls.delete(call.id);
    caller.answer(call.id, How.Failed, failure, 0, failure.length);
  }

  #lose(call: ActorCall, why: string): void {
    if ((call.flags & CallFlag.Tell) === 0) return;
    const { actor, key } = call.mailbox;
    actor.tally.lostTells++;
    this.#observer.onTellLost(actor.settings.name, key, why);
  }

  #over(call: ActorCall): void {
    call.state = 'over';
    this.#doomed.delete(call);
    call.parent = null;
    call.caller = null;
    call.broadcast?.calls.delete(call);
    call.broadcast = null;
    const { mailbox } = call;
    mailbox.messages--;
    mailbox.bytes -= call.payload.length;
    mailbox.actor.messages--;
    mailbox.actor.bytes -= call.payload.length;
    if ((call.flags & CallFlag.Joins) === 0) this.#openMessages--;
    if (this.#whenEmpty !== null) this.#checkEmpty();
  }

  /** Something of the mailbox is over: the next may go, the instance may move, or it has nothing to do. */
  #afterwards(mailbox: Mailbox, idleMs = 0): void {
    const { actor } = mailbox;
    if (mailbox.state === 'moving') this.#delivery.move(mailbox);
    if (mailbox.head !== null) this.#delivery.pump(mailbox);
    // A part of a call for each has given its place in the thread back to what any thread may take.
    const shared = mailbox.isTarget ? actor.mailboxes.get('') : undefined;
    if (shared !== undefined && shared.head !== null) this.#delivery.pump(shared);
    if (mailbox.messages > 0 || mailbox.conversations > 0 || actor.settings.kind !== 'keyed') return;
    if (mailbox.link === null) this.#forget(mailbox);
    else if (mailbox.state !== 'open') return;
    // The look that called its conversation back was the one that it was due at.
    else if (idleMs >= actor.settings.idleMs) this.#delivery.move(mailbox);
    else actor.idle.add(mailbox, this.#turns.nowMs, idleMs);
  }

  #forget(mailbox: Mailbox): void {
    const { actor, key } = mailbox;
    actor.unplaced.delete(mailbox);
    actor.mailboxes.delete(key);
  }

  // ---- time

  /** About once a second. */
  tick(nowMs: number): void {
    for (const actor of this.#actors) {
      for (const mailbox of actor.idle.takeSince(nowMs - actor.settings.idleMs)) this.#delivery.move(mailbox);
      for (const mailbox of actor.unplaced) this.#delivery.pump(mailbox);
    }
    this.direct.tick(nowMs);
    this.#doomed.look(nowMs);
    this.#turns.request();
  }

  /** Its caller has given it up, wants it to end with its thread, and it has had its grace. */
  #endThreadOf({ link, mailbox }: ActorCall): void {
    const { name, hardAbortGraceMs } = mailbox.actor.settings;
    const why = `actor ${name}: a call with the option hard was given up, and had not ended ${hardAbortGraceMs} ms later`;
    for (const each of this.#links) if (each === link) this.#abortThread.get(each)?.(new Error(why));
  }

  // ---- DeliveryOwner

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  onExpired(call: ActorCall): void {
    this.#lose(call, 'its deadline passed while it waited');
    this.#over(call);
  }

  /** See `Delivery.rebalance`. */
  rebalance(nowMs: number): void {
    this.#delivery.rebalance(nowMs);
  }

  // ---- the end

  /** The server stops: resolves when all that was accepted is over. New calls are taken as long as there are threads for them. */
  drain(): Promise<void> {
    if (this.#state === 'running') this.#state = 'draining';
    this.direct.callBackAll();
    this.#whenEmpty ??= Promise.withResolvers();
    this.#checkEmpty();
    return this.#whenEmpty.promise;
  }

  /** What waits and has no thread is refused, and told to be lost where nobody waits for it. */
  end(): void {
    this.#state = 'ended';
    for (const actor of this.#actors) {
      for (const mailbox of [...actor.mailboxes.values(), ...actor.targets.values()])
        this.refuseWaiting(mailbox);
    }
    this.#delivery.close();
    this.#doomed.clear();
  }

  refuseWaiting(mailbox: Mailbox, why = 'the server stops'): void {
    for (let call = mailbox.head; call !== null; call = mailbox.head) {
      mailbox.remove(call);
      this.#fail(call, 'SLUICE_ACTOR_STOPPED', `${mailbox.actor.settings.name}: ${why}`, 'no');
      this.#over(call);
    }
  }

  #checkEmpty(): void {
    if (this.openMessages === 0 && this.direct.conversations === 0) this.#whenEmpty?.resolve();
  }

  requestTurn(): void {
    this.#turns.request();
  }

  wake(): void {
    this.#turns.wake();
  }
}

const NOTHING = Buffer.alloc(0);
