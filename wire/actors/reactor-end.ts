/** The reactor's end of a channel for actors. */
import { corrupt } from '../decoder.ts';
import { binaryBound, stringBound } from '../encoder.ts';
import { ChannelEnd, type ChannelParts } from '../end.ts';
import { TopicFromThread, TopicToThread } from '../topics/messages.ts';
import { FIXED_BOUND } from './bounds.ts';
import { type ActorReactorHandler, type DirectRole, FromThread, type Grant, ToThread } from './messages.ts';

/** How each message begins: `elements << 8 | kind`. */
const CALL = (9 << 8) | FromThread.Call;
const CANCEL = (2 << 8) | FromThread.Cancel;
const REPLY = (4 << 8) | FromThread.Reply;
const MANIFEST = (3 << 8) | FromThread.Manifest;
const LEAVING = (2 << 8) | FromThread.Leaving;
const STOPPED = (4 << 8) | FromThread.Stopped;
const ITEM = (3 << 8) | FromThread.Item;
const PULL = (3 << 8) | FromThread.Pull;
const INPUT = (5 << 8) | FromThread.Input;
const WANT = (4 << 8) | FromThread.Want;
const RESTART = (5 << 8) | FromThread.Restart;
const UNDER = (7 << 8) | FromThread.Under;
const BACK = (6 << 8) | FromThread.Back;
const PARTED = (2 << 8) | FromThread.Parted;
const SUBSCRIBE = (3 << 8) | TopicFromThread.Subscribe;
const UNSUBSCRIBE = (2 << 8) | TopicFromThread.Unsubscribe;
const PUBLISH = (4 << 8) | TopicFromThread.Publish;

export class ActorReactorEnd extends ChannelEnd {
  readonly #handler: ActorReactorHandler;

  constructor(handler: ActorReactorHandler, parts: ChannelParts) {
    super(handler, parts, false);
    this.#handler = handler;
  }

  sendDeliver(
    slot: number,
    generation: number,
    actor: number,
    flags: number,
    deadlineMs: number,
    key: string,
    payload: Uint8Array,
    length: number = payload.length,
  ): boolean {
    if (!this.begin(FIXED_BOUND + stringBound(key) + binaryBound(length))) return false;
    const { encoder } = this;
    encoder.message(8, ToThread.Deliver, slot);
    encoder.integer(generation);
    encoder.integer(actor);
    encoder.integer(flags);
    encoder.integer(deadlineMs);
    encoder.string(key);
    encoder.binary(payload, 0, length);
    return this.commit();
  }

  sendAbort(slot: number, generation: number): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    this.encoder.message(3, ToThread.Abort, slot);
    this.encoder.integer(generation);
    return this.commit();
  }

  sendStop(actor: number, key: string): boolean {
    if (!this.begin(FIXED_BOUND + stringBound(key))) return false;
    this.encoder.message(3, ToThread.Stop, actor);
    this.encoder.string(key);
    return this.commit();
  }

  sendResult(id: number, how: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.begin(FIXED_BOUND + binaryBound(end - start))) return false;
    this.encoder.message(4, ToThread.Result, id);
    this.encoder.integer(how);
    this.encoder.binary(bytes, start, end);
    return this.commit();
  }

  /** @param thread at most `MAX_THREAD_CHARS` characters */
  sendPart(
    id: number,
    how: number,
    thread: string,
    key: string,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    if (!this.begin(FIXED_BOUND + stringBound(thread) + stringBound(key) + binaryBound(end - start)))
      return false;
    const { encoder } = this;
    encoder.message(6, ToThread.Part, id);
    encoder.integer(how);
    encoder.string(thread);
    encoder.string(key);
    encoder.binary(bytes, start, end);
    return this.commit();
  }

  sendItem(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.begin(FIXED_BOUND + binaryBound(end - start))) return false;
    this.encoder.message(3, ToThread.Item, id);
    this.encoder.binary(bytes, start, end);
    return this.commit();
  }

  sendPull(slot: number, generation: number, items: number): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    this.encoder.message(4, ToThread.Pull, slot);
    this.encoder.integer(generation);
    this.encoder.integer(items);
    return this.commit();
  }

  sendInput(
    slot: number,
    generation: number,
    input: number,
    how: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    if (!this.begin(FIXED_BOUND + binaryBound(end - start))) return false;
    const { encoder } = this;
    encoder.message(6, ToThread.Input, slot);
    encoder.integer(generation);
    encoder.integer(input);
    encoder.integer(how);
    encoder.binary(bytes, start, end);
    return this.commit();
  }

  sendWant(id: number, input: number, items: number): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    const { encoder } = this;
    encoder.message(4, ToThread.Want, id);
    encoder.integer(input);
    encoder.integer(items);
    return this.commit();
  }

  sendManifest(actor: number, payload: Uint8Array): boolean {
    if (!this.begin(FIXED_BOUND + binaryBound(payload.length))) return false;
    this.encoder.message(3, ToThread.Manifest, actor);
    this.encoder.binary(payload, 0, payload.length);
    return this.commit();
  }

  sendLeft(): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    this.encoder.message(2, ToThread.Left, 0);
    return this.commit();
  }

  sendMeet(channel: number, role: DirectRole, backlogBytes: number): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    this.encoder.message(4, ToThread.Meet, channel);
    this.encoder.integer(role);
    this.encoder.integer(backlogBytes);
    return this.commit();
  }

  sendJoined(id: number, { conversation, channel, messages, bytes, left }: Grant): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    const { encoder } = this;
    encoder.message(7, ToThread.Joined, id);
    encoder.integer(conversation);
    encoder.integer(channel);
    encoder.integer(messages);
    encoder.integer(bytes);
    encoder.integer(left);
    return this.commit();
  }

  sendCallBack(conversation: number): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    this.encoder.message(2, ToThread.CallBack, conversation);
    return this.commit();
  }

  sendSever(channel: number): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    this.encoder.message(2, ToThread.Sever, channel);
    return this.commit();
  }

  /** @param sequence the number of the topic's next message; null: the limit for topics is reached */
  sendSubscribed(id: number, sequence: number | null): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    this.encoder.message(4, TopicToThread.Subscribed, id);
    this.encoder.integer(sequence === null ? 0 : 1);
    this.encoder.integer(sequence ?? 0);
    return this.commit();
  }

  sendEvent(id: number, sequence: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.begin(FIXED_BOUND + binaryBound(end - start))) return false;
    this.encoder.message(4, TopicToThread.Event, id);
    this.encoder.integer(sequence);
    this.encoder.binary(bytes, start, end);
    return this.commit();
  }

  protected override dispatch(offset: number, length: number): void {
    const { decoder } = this;
    const handler = this.#handler;
    const { bytes } = this.incoming;
    switch (decoder.start(offset, length)) {
      case CALL: {
        const id = decoder.integer();
        const actor = decoder.integer();
        const flags = decoder.integer();
        const deadlineMs = decoder.integer();
        const parentSlot = decoder.integer();
        const parentGeneration = decoder.integer();
        const key = decoder.string();
        decoder.binary();
        const { position, end } = decoder;
        handler.onCall(id, actor, flags, deadlineMs, parentSlot, parentGeneration, key, bytes, position, end);
        return;
      }
      case CANCEL: {
        const id = decoder.integer();
        decoder.finish();
        handler.onCancel(id);
        return;
      }
      case REPLY: {
        const slot = this.slot(decoder.integer());
        const how = decoder.integer();
        decoder.binary();
        handler.onReply(slot, how, bytes, decoder.position, decoder.end);
        return;
      }
      case ITEM: {
        const slot = this.slot(decoder.integer());
        decoder.binary();
        handler.onItem(slot, bytes, decoder.position, decoder.end);
        return;
      }
      case PULL: {
        const id = decoder.integer();
        const items = decoder.integer();
        decoder.finish();
        handler.onPull(id, items);
        return;
      }
      case INPUT: {
        const id = decoder.integer();
        const input = decoder.integer();
        const how = decoder.integer();
        decoder.binary();
        handler.onInput(id, input, how, bytes, decoder.position, decoder.end);
        return;
      }
      case WANT: {
        const slot = this.slot(decoder.integer());
        const input = decoder.integer();
        const items = decoder.integer();
        decoder.finish();
        handler.onWant(slot, input, items);
        return;
      }
      case MANIFEST: {
        const actor = decoder.integer();
        decoder.binary();
        handler.onManifest(actor, bytes, decoder.position, decoder.end);
        return;
      }
      case LEAVING:
        decoder.integer();
        decoder.finish();
        handler.onLeaving();
        return;
      case STOPPED: {
        const actor = decoder.integer();
        const key = decoder.string();
        decoder.binary();
        handler.onStopped(actor, key, bytes, decoder.position, decoder.end);
        return;
      }
      case RESTART: {
        const actor = decoder.integer();
        const key = decoder.string();
        const news = decoder.integer();
        decoder.binary();
        handler.onRestart(actor, key, news, bytes, decoder.position, decoder.end);
        return;
      }
      case UNDER: {
        const channel = decoder.integer();
        const slot = decoder.integer();
        const generation = decoder.integer();
        const actor = decoder.integer();
        const flags = decoder.integer();
        const key = decoder.string();
        decoder.finish();
        handler.onUnder({ channel, slot, generation, actor, flags, key });
        return;
      }
      case BACK: {
        const conversation = decoder.integer();
        const messages = decoder.integer();
        const open = decoder.integer();
        const made = decoder.integer();
        const idleMs = decoder.integer();
        decoder.finish();
        handler.onBack(conversation, messages, open, made, idleMs);
        return;
      }
      case PARTED: {
        const channel = decoder.integer();
        decoder.finish();
        handler.onParted(channel);
        return;
      }
      case PUBLISH: {
        decoder.integer();
        const topic = decoder.string();
        decoder.binary();
        handler.onPublish(topic, bytes, decoder.position, decoder.end);
        return;
      }
      case SUBSCRIBE: {
        const id = decoder.integer();
        const topic = decoder.string();
        decoder.finish();
        handler.onSubscribe(id, topic);
        return;
      }
      case UNSUBSCRIBE: {
        const id = decoder.integer();
        decoder.finish();
        handler.onUnsubscribe(id);
        return;
      }
      default:
        throw corrupt('a message of a thread', 'another');
    }
  }
}
