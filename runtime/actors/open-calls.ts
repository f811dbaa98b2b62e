/**
 * Follows calls from their acceptance to their end: decides whether a mailbox accepts a call, sends its result, and ends a call that its caller
 * has given up or whose thread has died. A call ends exactly once.
 */
import { CallFlag, type Failure, How } from '../../wire/actors/messages.ts';
import { corrupt } from '../../wire/decoder.ts';
import { refusalOf } from './admission.ts';
import { Broadcast } from './broadcast.ts';
import type { Delivery } from './delivery.ts';
import type { DirectChannels } from './direct.ts';
import type { DirectLink } from './direct-channel.ts';
import { Doomed } from './doomed.ts';
import type { FailurePayloads } from './failure-payloads.ts';
import type { Instances } from './instances.ts';
import type { ActorLink, CallOwner } from './link.ts';
import { ActorCall, type Ancestor, type DirectoryActor, type Link, type Mailbox } from './mailbox.ts';
import type { DirectoryObserver } from './observer.ts';
import type { ActorTurns } from './turns.ts';

/** The part of the directory that open calls use. */
export interface OpenCallsOwner {
  /** True until the server stops. */
  readonly isRunning: boolean;
  onCallOver(): void;
}

const NOTHING = Buffer.alloc(0);

export class OpenCalls implements CallOwner {
  readonly #actors: readonly DirectoryActor[];
  readonly #turns: ActorTurns;
  readonly #delivery: Delivery;
  readonly #instances: Instances;
  readonly #direct: DirectChannels;
  readonly #failures: FailurePayloads;
  readonly #observer: DirectoryObserver;
  readonly #owner: OpenCallsOwner;
  readonly #doomed: Doomed;
  #sequence = 0;
  #messages = 0;

  constructor(
    actors: readonly DirectoryActor[],
    turns: ActorTurns,
    delivery: Delivery,
    instances: Instances,
    direct: DirectChannels,
    failures: FailurePayloads,
    observer: DirectoryObserver,
    owner: OpenCallsOwner,
  ) {
    this.#actors = actors;
    this.#turns = turns;
    this.#delivery = delivery;
    this.#instances = instances;
    this.#direct = direct;
    this.#failures = failures;
    this.#observer = observer;
    this.#owner = owner;
    this.#doomed = new Doomed((call) => this.#endThreadOf(call), turns.now);
  }

  /** The number of messages that were accepted and are not over. */
  get messages(): number {
    return this.#messages;
  }

  // ---- acceptance

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
    if (!this.#owner.isRunning && actor.links.length === 0) {
      this.#refuse(link, id, actor, 'SLUICE_ACTOR_STOPPED', `${name}: the server stops`);
      return;
    }
    const mailbox = actor.mailboxOf(key);
    if (mailbox === null) {
      const most = `${name}: expected at most ${actor.settings.maxKeys} keys at once`;
      this.#refuse(link, id, actor, 'SLUICE_ACTOR_OVERLOADED', most);
      return;
    }
    const hasRoom = conversation !== -1 && this.#direct.admit(link, conversation, mailbox, payload.length);
    const refusal = hasRoom ? null : refusalOf(mailbox, flags, parent, payload.length);
    if (refusal !== null) {
      // A direct channel holds room for its own calls. Asked to, it returns the room for the next caller.
      this.#direct.callBackOf(mailbox);
      this.#refuse(link, id, actor, refusal.code, refusal.message);
      return;
    }
    const isTell = (flags & CallFlag.Tell) !== 0;
    const caller = isTell ? null : link;
    const sequence = this.#sequence++;
    const { nowMs } = this.#turns;
    const call = new ActorCall(caller, id, mailbox, flags, deadlineMs, payload, sequence, parent, nowMs);
    if (isTell) link.result(id, How.Accepted, NOTHING, 0, 0);
    else link.calls.set(id, call);
    this.#accept(call);
  }

  /** Makes one call for each instance. An instance that refuses its call, or whose thread ends, still has its part in the result. */
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
      this.#messages++;
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
    link.result(id, How.Failed, failure, 0, failure.length);
  }

  // ---- the result

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
      caller.result(call.id, how, bytes, start, end);
    } else if (call.broadcast !== null) {
      call.broadcast.part(how, link.name, key, bytes, start, end);
    } else if ((call.flags & CallFlag.Tell) !== 0 && how !== How.Value) {
      actor.tally.failedTells++;
      const failure = Buffer.from(bytes.subarray(start, end));
      this.#observer.onTellFailed(actor.settings.name, key, this.#failures.report(failure));
    }
    this.#over(call);
    this.#instances.onWorkOver(mailbox);
    link.leaveIfEmpty();
  }

  /** Called when everything that the caller has sent before has begun, so the caller may now send to the thread directly. */
  #onJoins(link: ActorLink, call: ActorCall): void {
    const { caller, id, mailbox } = call;
    this.#over(call);
    if (caller !== null) {
      caller.calls.delete(id);
      const joined = this.#owner.isRunning
        ? this.#direct.join(caller as DirectLink, link, mailbox, this.#turns.nowMs)
        : [];
      if (joined.length === 0) {
        const message = `${mailbox.actor.settings.name}: no direct channel for it now`;
        const failure = this.#failures.encode({ code: 'SLUICE_ACTOR_OVERLOADED', message, begun: 'no' });
        caller.result(id, How.Failed, failure, 0, failure.length);
      } else {
        for (const [at, { number, channel, messages, bytes }] of joined.entries()) {
          const left = joined.length - 1 - at;
          const grant = { conversation: number, channel: channel.number, messages, bytes, left };
          caller.send(0, () => caller.end.sendJoined(id, grant));
        }
      }
    }
    this.#instances.onWorkOver(mailbox);
    link.leaveIfEmpty();
  }

  // ---- calls that are given up

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

  /** Called when nobody waits for the call any more. */
  #giveUp(call: ActorCall): void {
    const { mailbox } = call;
    if (call.state === 'waiting') mailbox.remove(call);
    else if (call.state !== 'given' || !(call.link as Link).takeBack(call)) {
      // The method runs, so the call is over only when the method has ended.
      if (call.state !== 'given') return;
      (call.link as Link).abort(call);
      if ((call.flags & CallFlag.Hard) !== 0) {
        this.#doomed.add(call, this.#turns.nowMs, mailbox.actor.settings.hardAbortGraceMs);
      }
      return;
    }
    this.#over(call);
    this.#instances.onWorkOver(mailbox);
  }

  /** Ends the thread of a call with the option `hard` that was given up and whose grace period has passed. */
  #endThreadOf({ link, mailbox }: ActorCall): void {
    const { name, hardAbortGraceMs } = mailbox.actor.settings;
    const why = `actor ${name}: a call with the option hard was given up, and had not ended ${hardAbortGraceMs} ms later`;
    link?.abortThread(new Error(why));
  }

  /** Called about once a second: ends the threads of calls whose grace period has passed. */
  endDoomed(nowMs: number): void {
    this.#doomed.look(nowMs);
  }

  /** Called when a thread does not read what the call sends it: fails the call and aborts its method. @param link the thread that runs the method */
  breakOff(link: Link, call: ActorCall, why: string): void {
    this.#fail(call, 'SLUICE_ACTOR_OVERLOADED', `${call.mailbox.actor.settings.name}: ${why}`, 'yes');
    call.caller = null;
    link.abort(call);
  }

  // ---- calls that no method will end

  /** Called when the thread of the call has ended. */
  died(call: ActorCall, link: ActorLink, begun: 'no' | 'yes'): void {
    const { settings } = call.mailbox.actor;
    const when = begun === 'yes' ? 'while the method ran' : 'before the method began';
    const message = `${settings.name}: its thread ${link.name} ended ${when}`;
    this.#fail(call, 'SLUICE_ACTOR_DIED', message, begun);
    this.#over(call);
  }

  /** Called when the deadline of a call without a waiting caller has passed in the mailbox. The mailbox has removed the call. */
  expire(call: ActorCall): void {
    this.#lose(call, 'its deadline passed while it waited');
    this.#over(call);
    const { mailbox } = call;
    // It may have been the last message of its key.
    if (mailbox.head === null) this.#instances.onWorkOver(mailbox);
  }

  /** Called when no thread will take the calls that wait in the mailbox. */
  refuseWaiting(mailbox: Mailbox, why = 'the server stops'): void {
    for (let call = mailbox.head; call !== null; call = mailbox.head) {
      mailbox.remove(call);
      this.#fail(call, 'SLUICE_ACTOR_STOPPED', `${mailbox.actor.settings.name}: ${why}`, 'no');
      this.#over(call);
    }
  }

  /** Called when the server has stopped. */
  close(): void {
    this.#doomed.clear();
  }

  /** Sends the failure to the caller that waits. The call itself is not over yet. */
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
    caller.result(call.id, How.Failed, failure, 0, failure.length);
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
    if ((call.flags & CallFlag.Joins) === 0) this.#messages--;
    this.#owner.onCallOver();
  }
}
