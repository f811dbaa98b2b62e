/** Threads that come and go: a thread that starts is attached, takes calls once its actors are loaded, leaves when it is replaced, and is gone. */
import type { MessagePort } from 'node:worker_threads';
import type { ActorBoot } from '../../wire/actors/boot.ts';
import { sumOfCounts } from '../../wire/actors/counters.ts';
import { corrupt } from '../../wire/decoder.ts';
import type { Delivery } from './delivery.ts';
import type { DirectChannels } from './direct.ts';
import type { Instances } from './instances.ts';
import { ActorLink, type AttachingPool, type LinkOwner } from './link.ts';
import type { DirectoryActor } from './mailbox.ts';
import { isManifest } from './manifest-check.ts';
import type { OpenCalls } from './open-calls.ts';
import type { ActorTurns } from './turns.ts';

/** What a thread that starts is given, and how its end is reported. */
export interface AttachedThread {
  readonly boot: ActorBoot;
  /** To be transferred to the thread. */
  readonly ports: readonly MessagePort[];
  /** It has calls, or has begun them. */
  readonly hasWork: boolean;
  gone(): void;
}

/** What is the same for every thread that starts. */
export type CommonBoot = Pick<ActorBoot, 'actors' | 'topics' | 'direct' | 'maxErrorChars'>;

export class ActorThreads {
  readonly #actors: readonly DirectoryActor[];
  readonly #turns: ActorTurns;
  readonly #delivery: Delivery;
  readonly #instances: Instances;
  readonly #direct: DirectChannels;
  readonly #calls: OpenCalls;
  readonly #boot: CommonBoot;
  readonly #links = new Set<ActorLink>();

  constructor(
    actors: readonly DirectoryActor[],
    turns: ActorTurns,
    delivery: Delivery,
    instances: Instances,
    direct: DirectChannels,
    calls: OpenCalls,
    boot: CommonBoot,
  ) {
    this.#actors = actors;
    this.#turns = turns;
    this.#delivery = delivery;
    this.#instances = instances;
    this.#direct = direct;
    this.#calls = calls;
    this.#boot = boot;
  }

  /** Of the threads that there are. */
  get links(): ReadonlySet<ActorLink> {
    return this.#links;
  }

  /** @param abort ends the thread, when its ring holds what it cannot have written */
  attach(name: string, pool: AttachingPool, owner: LinkOwner, abort: (error: Error) => void): AttachedThread {
    const link = new ActorLink(name, pool, owner, this.#actors.length, abort);
    this.#links.add(link);
    this.#turns.add(link);
    for (const { index, manifest } of this.#actors) {
      if (manifest !== null) link.send(manifest.length, () => link.end.sendManifest(index, manifest));
    }
    const boot: ActorBoot = {
      ...this.#boot,
      channel: link.transfer,
      counters: link.counterMemory,
      thread: name,
      pool: pool.name,
      module: pool.module,
    };
    return {
      boot,
      ports: [link.transfer.port, link.transfer.introductions],
      get hasWork() {
        return link.hasWork;
      },
      gone: () => this.#gone(link),
    };
  }

  /** The thread has loaded an actor, and says what methods it has. */
  onManifest(link: ActorLink, index: number, manifest: Buffer): void {
    const actor = this.#actors[index];
    if (actor === undefined || actor.settings.pool !== link.pool) {
      throw corrupt('an actor of the pool', `actor ${index}`);
    }
    const isKnown = actor.manifest?.equals(manifest) === true;
    if (!isKnown && !isManifest(manifest)) {
      throw corrupt('a manifest', `${manifest.length} bytes that are none`);
    }
    if ((link.state !== 'starting' && link.state !== 'up') || actor.links.includes(link)) return;
    link.state = 'up';
    actor.links.push(link);
    actor.manifests.set(link, manifest);
    this.#tellManifest(actor, manifest);
    const shared = actor.settings.kind === 'pool' ? actor.mailboxes.get('') : undefined;
    if (shared !== undefined) this.#direct.callBackOf(shared);
    for (const mailbox of actor.unplaced) this.#delivery.pump(mailbox);
    if (shared !== undefined) this.#delivery.pump(shared);
  }

  #tellManifest(actor: DirectoryActor, manifest: Buffer): void {
    if (actor.manifest?.equals(manifest) === true) return;
    actor.manifest = manifest;
    for (const each of this.#links) {
      each.send(manifest.length, () => each.end.sendManifest(actor.index, manifest));
    }
  }

  /** The thread is replaced: it takes nothing new, and its instances move to other threads. */
  onLeaving(link: ActorLink): void {
    this.#takeNoMore(link);
    link.state = 'leaving';
    this.#direct.callBackFrom(link);
    for (const mailbox of link.mailboxes) if (mailbox.state === 'open') mailbox.state = 'moving';
    // What it has not begun goes elsewhere. The newest first: each then goes before all that waits.
    for (const call of [...link.given].reverse()) {
      // What is for this thread's own instance ends here.
      if (!call.mailbox.isTarget && link.takeBack(call)) call.mailbox.putBack(call);
    }
    for (const { targets } of this.#actors) {
      const target = targets.get(link);
      if (target !== undefined) this.#calls.refuseWaiting(target, `its thread ${link.name} is replaced`);
    }
    for (const mailbox of [...link.mailboxes]) this.#instances.move(mailbox);
    this.#delivery.pumpAll();
    link.leaveIfEmpty();
  }

  /** The ring of the thread holds what no thread writes. */
  onCorrupt(link: ActorLink, error: Error): void {
    this.#takeNoMore(link);
    link.abortThread(error);
  }

  #takeNoMore(link: ActorLink): void {
    for (const actor of this.#actors) {
      const index = actor.links.indexOf(link);
      if (index === -1) continue;
      actor.links.splice(index, 1);
      actor.manifests.delete(link);
      // A version that a reload has given up leaves no trace: callers know the methods of those that go on.
      const last = [...actor.manifests.values()].at(-1);
      if (last !== undefined) this.#tellManifest(actor, last);
    }
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
      if (call.mailbox.isTarget) this.#calls.died(call, link, 'no');
      else call.mailbox.putBack(call);
    }
    for (const { targets } of this.#actors) {
      const target = targets.get(link);
      targets.delete(link);
      for (let call = target?.head ?? null; call !== null; call = target?.head ?? null) {
        target?.remove(call);
        this.#calls.died(call, link, 'no');
      }
    }
    this.#direct.gone(link);
    const displaced = [...link.mailboxes];
    for (const mailbox of displaced) this.#instances.displace(mailbox);
    for (const call of begun) this.#calls.died(call, link, 'yes');
    // Nobody waits for what it has asked.
    for (const call of [...link.calls.values()]) this.#calls.onCancel(link, call);
    for (const broadcast of [...link.broadcasts.values()]) this.#calls.onCancelEach(link, broadcast);
    for (const mailbox of displaced) this.#instances.onWorkOver(mailbox);
    this.#delivery.pumpAll();
  }
}
