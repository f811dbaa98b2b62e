/** The instances of a thread's actors: how they are created, restarted and stopped. */
import { RestartNews } from '../../wire/actors/messages.ts';
import { withinTime } from './hook-time.ts';
import type { HostedCall } from './hosted-call.ts';
import { type HostedActor, Instance } from './instance.ts';
import { encodedReport } from './replies.ts';
import type { ThreadLink } from './thread-link.ts';
import type { ActorContext } from './types.ts';

/** The owner of the calls. */
export interface InstanceOwner {
  /** The instance can begin calls. */
  onReady(instance: Instance<HostedCall>): void;
  /** The instance is gone, because its constructor or its `start` threw. Waiting callers get the error. */
  onStartFailed(instance: Instance<HostedCall>, error: unknown): void;
}

export class Instances {
  readonly #thread: ThreadLink;
  readonly #owner: InstanceOwner;

  constructor(thread: ThreadLink, owner: InstanceOwner) {
    this.#thread = thread;
    this.#owner = owner;
  }

  create(actor: HostedActor<HostedCall>, key: string): Instance<HostedCall> {
    const instance = new Instance(actor, key);
    actor.instances.set(key, instance);
    try {
      const started = this.open(instance);
      if (started instanceof Promise) {
        this.#isOpening(
          instance,
          started.then(
            () => this.#started(instance),
            (error: unknown) => this.#startFailed(instance, error),
          ),
        );
        return instance;
      }
    } catch (error) {
      // Behind the call that it was made for: that one has its place in the queue by then.
      queueMicrotask(() => this.#startFailed(instance, error));
      return instance;
    }
    instance.state = 'ready';
    return instance;
  }

  /**
   * Makes its object and starts it.
   * @returns what `start` gives; a promise rejects when the time of `start` is over
   * @throws what the constructor or `start` throws
   */
  open(instance: Instance<HostedCall>): unknown {
    const started = instance.open(this.#contextOf(instance));
    return withinTime('start', instance.actor.settings, started, this.#thread.clock);
  }

  /** As `open`, for `stop`. */
  #close(instance: Instance<HostedCall>): unknown {
    return withinTime('stop', instance.actor.settings, instance.close(), this.#thread.clock);
  }

  #isOpening(instance: Instance<HostedCall>, opening: Promise<void>): void {
    instance.opening = opening.finally(() => {
      instance.opening = null;
    });
  }

  #contextOf(instance: Instance<HostedCall>): ActorContext {
    const { actor, key } = instance;
    const objects = instance.objects + 1;
    return this.#thread.contextOf(actor.settings, key, (reason) => {
      if (instance.objects === objects) this.#restart(instance, reason);
    });
  }

  // ---- beginning anew

  #restart(instance: Instance<HostedCall>, reason: unknown): void {
    // One that starts fails by what its `start` throws; one that stops has nothing to begin anew for.
    if (instance.state !== 'ready') return;
    instance.state = 'restarting';
    const why =
      reason === undefined || typeof reason === 'string' ? new Error(reason ?? 'it says no reason') : reason;
    this.#sendRestart(instance, RestartNews.Wanted, why);
    if (instance.begun === 0) this.reopen(instance);
  }

  /** No method is running. */
  reopen(instance: Instance<HostedCall>): void {
    this.#isOpening(instance, this.#reopening(instance));
  }

  async #reopening(instance: Instance<HostedCall>): Promise<void> {
    try {
      await this.#close(instance);
    } catch (error) {
      this.#sendRestart(instance, RestartNews.StopFailed, error);
    }
    instance.state = 'starting';
    try {
      await this.open(instance);
    } catch (error) {
      this.#sendRestart(instance, RestartNews.StartFailed, error);
      this.#startFailed(instance, error);
      return;
    }
    this.#started(instance);
  }

  #sendRestart({ actor, key }: Instance<HostedCall>, news: RestartNews, error: unknown): void {
    const { bytes, length } = encodedReport(error);
    this.#thread.send(bytes, length, (end, payload) =>
      end.sendRestart(actor.index, key, news, payload, length),
    );
  }

  #started(instance: Instance<HostedCall>): void {
    instance.state = 'ready';
    this.#owner.onReady(instance);
  }

  /** The next call makes another one, which may start. */
  #startFailed(instance: Instance<HostedCall>, error: unknown): void {
    instance.state = 'gone';
    instance.actor.instances.delete(instance.key);
    this.#owner.onStartFailed(instance, error);
  }

  // ---- the end

  async stop(instance: Instance<HostedCall>, failed: (error: unknown) => void): Promise<void> {
    // An object is not stopped while it starts.
    await instance.opening;
    if (instance.state === 'gone') return;
    instance.state = 'stopping';
    try {
      await this.#close(instance);
    } catch (error) {
      failed(error);
    }
    instance.state = 'gone';
    instance.actor.instances.delete(instance.key);
  }
}
