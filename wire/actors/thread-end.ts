/** A thread's end of a channel for actors. */
import { corrupt } from '../decoder.ts';
import { binaryBound, stringBound } from '../encoder.ts';
import { ChannelEnd, type ChannelParts } from '../end.ts';
import { TopicFromThread, TopicToThread } from '../topics/messages.ts';
import { FIXED_BOUND } from './bounds.ts';
import { type ActorThreadHandler, type ChainCall, FromThread, ToThread } from './messages.ts';

/** How each message begins: `elements << 8 | kind`. */
const DELIVER = (8 << 8) | ToThread.Deliver;
const ABORT = (3 << 8) | ToThread.Abort;
const STOP = (3 << 8) | ToThread.Stop;
const RESULT = (4 << 8) | ToThread.Result;
const MANIFEST = (3 << 8) | ToThread.Manifest;
const LEFT = (2 << 8) | ToThread.Left;
const ITEM = (3 << 8) | ToThread.Item;
const PULL = (4 << 8) | ToThread.Pull;
const INPUT = (6 << 8) | ToThread.Input;
const WANT = (4 << 8) | ToThread.Want;
const PART = (6 << 8) | ToThread.Part;
const MEET = (4 << 8) | ToThread.Meet;
const JOINED = (7 << 8) | ToThread.Joined;
const CALL_BACK = (2 << 8) | ToThread.CallBack;
const SEVER = (2 << 8) | ToThread.Sever;
const SUBSCRIBED = (4 << 8) | TopicToThread.Subscribed;
const EVENT = (4 << 8) | TopicToThread.Event;

export class ActorThreadEnd extends ChannelEnd {
  readonly #handler: ActorThreadHandler;

  constructor(handler: ActorThreadHandler, parts: ChannelParts) {
    super(handler, parts, false);
    this.#handler = handler;
  }

  sendCall(
    id: number,
    actor: number,
    flags: number,
    deadlineMs: number,
    parentSlot: number,
    parentGeneration: number,
    key: string,
    payload: Uint8Array,
    length: number,
  ): boolean {
    if (!this.begin(FIXED_BOUND + stringBound(key) + binaryBound(length))) return false;
    const { encoder } = this;
    encoder.message(9, FromThread.Call, id);
    encoder.integer(actor);
    encoder.integer(flags);
    encoder.integer(deadlineMs);
    encoder.integer(parentSlot);
    encoder.integer(parentGeneration);
    encoder.string(key);
    encoder.binary(payload, 0, length);
    return this.commit();
  }

  /** Names a call that waits for the next CALL. That CALL must have the flag `Under`. */
  sendUnder({ channel, slot, generation, actor, flags, key }: ChainCall): boolean {
    if (!this.begin(FIXED_BOUND + stringBound(key))) return false;
    const { encoder } = this;
    encoder.message(7, FromThread.Under, channel);
    encoder.integer(slot);
    encoder.integer(generation);
    encoder.integer(actor);
    encoder.integer(flags);
    encoder.string(key);
    return this.commit();
  }

  sendBack(conversation: number, messages: number, bytes: number, made: number, idleMs: number): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    const { encoder } = this;
    encoder.message(6, FromThread.Back, conversation);
    encoder.integer(messages);
    encoder.integer(bytes);
    encoder.integer(made);
    encoder.integer(idleMs);
    return this.commit();
  }

  sendParted(channel: number): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    this.encoder.message(2, FromThread.Parted, channel);
    return this.commit();
  }

  sendCancel(id: number): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    this.encoder.message(2, FromThread.Cancel, id);
    return this.commit();
  }

  sendReply(slot: number, how: number, payload: Uint8Array, length: number): boolean {
    if (!this.begin(FIXED_BOUND + binaryBound(length))) return false;
    this.encoder.message(4, FromThread.Reply, slot);
    this.encoder.integer(how);
    this.encoder.binary(payload, 0, length);
    return this.commit();
  }

  sendItem(slot: number, payload: Uint8Array, length: number): boolean {
    if (!this.begin(FIXED_BOUND + binaryBound(length))) return false;
    this.encoder.message(3, FromThread.Item, slot);
    this.encoder.binary(payload, 0, length);
    return this.commit();
  }

  /** Sends an item that consists only of 256 or more bytes, which are copied into the ring unchanged. */
  sendBytesItem(slot: number, value: Uint8Array, length: number): boolean {
    if (!this.begin(FIXED_BOUND + 2 * binaryBound(0) + length)) return false;
    this.encoder.message(3, FromThread.Item, slot);
    this.encoder.binaryPayload(value, length);
    return this.commit();
  }

  sendPull(id: number, items: number): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    this.encoder.message(3, FromThread.Pull, id);
    this.encoder.integer(items);
    return this.commit();
  }

  sendInput(id: number, input: number, how: number, payload: Uint8Array, length: number): boolean {
    if (!this.begin(FIXED_BOUND + binaryBound(length))) return false;
    const { encoder } = this;
    encoder.message(5, FromThread.Input, id);
    encoder.integer(input);
    encoder.integer(how);
    encoder.binary(payload, 0, length);
    return this.commit();
  }

  sendWant(slot: number, input: number, items: number): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    const { encoder } = this;
    encoder.message(4, FromThread.Want, slot);
    encoder.integer(input);
    encoder.integer(items);
    return this.commit();
  }

  sendManifest(actor: number, payload: Uint8Array, length: number): boolean {
    if (!this.begin(FIXED_BOUND + binaryBound(length))) return false;
    this.encoder.message(3, FromThread.Manifest, actor);
    this.encoder.binary(payload, 0, length);
    return this.commit();
  }

  sendLeaving(): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    this.encoder.message(2, FromThread.Leaving, 0);
    return this.commit();
  }

  sendStopped(actor: number, key: string, payload: Uint8Array, length: number): boolean {
    if (!this.begin(FIXED_BOUND + stringBound(key) + binaryBound(length))) return false;
    this.encoder.message(4, FromThread.Stopped, actor);
    this.encoder.string(key);
    this.encoder.binary(payload, 0, length);
    return this.commit();
  }

  sendRestart(actor: number, key: string, news: number, payload: Uint8Array, length: number): boolean {
    if (!this.begin(FIXED_BOUND + stringBound(key) + binaryBound(length))) return false;
    const { encoder } = this;
    encoder.message(5, FromThread.Restart, actor);
    encoder.string(key);
    encoder.integer(news);
    encoder.binary(payload, 0, length);
    return this.commit();
  }

  sendSubscribe(id: number, topic: string): boolean {
    if (!this.begin(FIXED_BOUND + stringBound(topic))) return false;
    this.encoder.message(3, TopicFromThread.Subscribe, id);
    this.encoder.string(topic);
    return this.commit();
  }

  sendUnsubscribe(id: number): boolean {
    if (!this.begin(FIXED_BOUND)) return false;
    this.encoder.message(2, TopicFromThread.Unsubscribe, id);
    return this.commit();
  }

  sendPublish(topic: string, payload: Uint8Array, length: number): boolean {
    if (!this.begin(FIXED_BOUND + stringBound(topic) + binaryBound(length))) return false;
    this.encoder.message(4, TopicFromThread.Publish, 0);
    this.encoder.string(topic);
    this.encoder.binary(payload, 0, length);
    return this.commit();
  }

  protected override dispatch(offset: number, length: number): void {
    const { decoder } = this;
    const handler = this.#handler;
    const { bytes } = this.incoming;
    switch (decoder.start(offset, length)) {
      case DELIVER: {
        const slot = this.slot(decoder.integer());
        const generation = decoder.integer();
        const actor = decoder.integer();
        const flags = decoder.integer();
        const deadlineMs = decoder.integer();
        const key = decoder.string();
        decoder.binary();
        const { position, end } = decoder;
        handler.onDeliver(slot, generation, actor, flags, deadlineMs, key, bytes, position, end);
        return;
      }
      case ABORT: {
        const slot = this.slot(decoder.integer());
        const generation = decoder.integer();
        decoder.finish();
        handler.onAbort(slot, generation);
        return;
      }
      case STOP: {
        const actor = decoder.integer();
        const key = decoder.string();
        decoder.finish();
        handler.onStop(actor, key);
        return;
      }
      case RESULT: {
        const id = decoder.integer();
        const how = decoder.integer();
        decoder.binary();
        handler.onResult(id, how, bytes, decoder.position, decoder.end);
        return;
      }
      case PART: {
        const id = decoder.integer();
        const how = decoder.integer();
        const thread = decoder.string();
        const key = decoder.string();
        decoder.binary();
        handler.onPart(id, how, thread, key, bytes, decoder.position, decoder.end);
        return;
      }
      case ITEM: {
        const id = decoder.integer();
        decoder.binary();
        handler.onItem(id, bytes, decoder.position, decoder.end);
        return;
      }
      case PULL: {
        const slot = this.slot(decoder.integer());
        const generation = decoder.integer();
        const items = decoder.integer();
        decoder.finish();
        handler.onPull(slot, generation, items);
        return;
      }
      case INPUT: {
        const slot = this.slot(decoder.integer());
        const generation = decoder.integer();
        const input = decoder.integer();
        const how = decoder.integer();
        decoder.binary();
        handler.onInput(slot, generation, input, how, bytes, decoder.position, decoder.end);
        return;
      }
      case WANT: {
        const id = decoder.integer();
        const input = decoder.integer();
        const items = decoder.integer();
        decoder.finish();
        handler.onWant(id, input, items);
        return;
      }
      case MANIFEST: {
        const actor = decoder.integer();
        decoder.binary();
        handler.onManifest(actor, bytes, decoder.position, decoder.end);
        return;
      }
      case LEFT:
        decoder.integer();
        decoder.finish();
        handler.onLeft();
        return;
      case MEET: {
        const channel = decoder.integer();
        const role = decoder.integer();
        const backlogBytes = decoder.integer();
        decoder.finish();
        handler.onMeet(channel, role, backlogBytes);
        return;
      }
      case JOINED: {
        const id = decoder.integer();
        const conversation = decoder.integer();
        const channel = decoder.integer();
        const messages = decoder.integer();
        const room = decoder.integer();
        const left = decoder.integer();
        decoder.finish();
        handler.onJoined(id, { conversation, channel, messages, bytes: room, left });
        return;
      }
      case CALL_BACK: {
        const conversation = decoder.integer();
        decoder.finish();
        handler.onCallBack(conversation);
        return;
      }
      case SEVER: {
        const channel = decoder.integer();
        decoder.finish();
        handler.onSever(channel);
        return;
      }
      case EVENT: {
        const id = decoder.integer();
        const sequence = decoder.integer();
        decoder.binary();
        handler.onEvent(id, sequence, bytes, decoder.position, decoder.end);
        return;
      }
      case SUBSCRIBED: {
        const id = decoder.integer();
        const isAccepted = decoder.integer() === 1;
        const sequence = decoder.integer();
        decoder.finish();
        handler.onSubscribed(id, isAccepted ? sequence : null);
        return;
      }
      default:
        throw corrupt('a message of the reactor', 'another');
    }
  }
}
