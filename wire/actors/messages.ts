/**
 * The grammar of a channel for actors; the README.md of the folder above has its table. Actors have rings of their own, so that messages
 * of actors and of exchanges do not wait for each other.
 *
 * A thread has two roles. As a caller, it numbers its own calls (`id`, 32 bits that wrap; no two open calls have the same), so a reply
 * reaches only its call. As a host, it is given each call on a slot, whose word in the claim table says whether the call has begun.
 *
 * Topics have messages of their own on the same rings: ../topics/messages.ts.
 */
import type { ChannelEvents } from '../messages.ts';
import type { TopicReactorHandler, TopicThreadHandler } from '../topics/messages.ts';

/** Raised whenever an end of one version could misread an end of another. */
export const ACTOR_GRAMMAR_VERSION = 7;

/** Thread → reactor. */
export const FromThread = {
  Call: 0,
  Cancel: 1,
  Reply: 2,
  Manifest: 3,
  Leaving: 4,
  Stopped: 5,
  Item: 6,
  Pull: 7,
  Input: 8,
  Want: 9,
  Restart: 10,
  Under: 11,
  Back: 12,
  Parted: 13,
} as const;
/** Reactor → thread. */
export const ToThread = {
  Deliver: 16,
  Abort: 17,
  Stop: 18,
  Result: 19,
  Manifest: 20,
  Left: 21,
  Item: 22,
  Pull: 23,
  Input: 24,
  Want: 25,
  Part: 26,
  Meet: 27,
  Joined: 28,
  CallBack: 29,
  Sever: 30,
} as const;

/** Bits of a call's flags. */
export const CallFlag = {
  /** The caller does not wait for the method. The call succeeds when the message is in the mailbox. */
  Tell: 1,
  /** The call may begin while another call of its instance runs. */
  Interleaves: 2,
  /** The reply is a stream: items, each against credit, then how it ended. Credit for `streamItems` comes with the call. */
  Streams: 4,
  /** Some arguments are streams. A list of their places follows the arguments. */
  Inputs: 8,
  /** If the call is given up and does not end within the actor's `hardAbortGraceMs`, its thread is ended. */
  Hard: 16,
  /** The call goes to every existing instance. Their replies arrive as PART, then RESULT follows. */
  Each: 32,
  /** Stores of the caller's context follow, before the method's name. */
  Carries: 64,
  /**
   * The message calls no method: the caller asks for a direct channel to the instance's thread. It begins when all calls before it have
   * begun.
   */
  Joins: 128,
  /** The call was sent over a direct channel and did not begin there. Its room in the mailbox is already reserved. */
  Moved: 256,
  /** UNDER messages just before this one have named the calls that wait for it. */
  Under: 512,
  /** The payload names the calls that wait for it, between the stores and the method's name; nil if only the reactor knows them. */
  Chained: 1024,
} as const;

/** A call that waits for another one to end. */
export interface ChainCall {
  /** The number of the direct channel over which the call arrived; 0: it came from the reactor. */
  readonly channel: number;
  readonly slot: number;
  readonly generation: number;
  readonly actor: number;
  readonly flags: number;
  readonly key: string;
}

/** What a thread does on a channel that joins it to another thread. */
export const DirectRole = {
  /** It sends calls. */
  Calls: 0,
  /** It replies to calls. */
  Replies: 1,
} as const;
export type DirectRole = (typeof DirectRole)[keyof typeof DirectRole];

/** What JOINED grants: from now on, calls to the instance may go over a direct channel. */
export interface Grant {
  /** The reactor's number for the conversation. */
  readonly conversation: number;
  readonly channel: number;
  /** How many messages and bytes of the conversation may be in flight at a time. */
  readonly messages: number;
  readonly bytes: number;
  /** How many more grants follow for the same CALL: a `pool` actor has one for each of its threads. */
  readonly left: number;
}

/** What RESTART reports about an instance. */
export const RestartNews = {
  /** It asks for a restart; the payload is the reason. */
  Wanted: 0,
  /** The payload is what its `stop` threw. */
  StopFailed: 1,
  /** The payload is what its constructor or its `start` threw. No instance exists until the next call. */
  StartFailed: 2,
} as const;
export type RestartNews = (typeof RestartNews)[keyof typeof RestartNews];

/** How a call ended. */
export const How = {
  /** The payload is what the method returned. */
  Value: 0,
  /** The payload is what the method, or `start`, threw. */
  Threw: 1,
  /** The payload is a `Failure`. */
  Failed: 2,
  /** For a tell: the message is in the mailbox. */
  Accepted: 3,
  /** For a streamed input: it is complete. */
  Done: 4,
} as const;
export type How = (typeof How)[keyof typeof How];

/** Why the runtime, and not the method, ended a call: the payload of `How.Failed`. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  /** Whether the method has begun. */
  readonly begun: 'no' | 'yes';
}

/** What a thread reports about an actor that it hosts: the payload of MANIFEST. */
export interface ActorManifest {
  readonly methods: readonly MethodManifest[];
}

export interface MethodManifest {
  readonly name: string;
  readonly interleaves: boolean;
  /** The method is an async generator. */
  readonly streams: boolean;
}

/** The reactor's side. `bytes[start, end)` is a payload in shared memory, valid during the call. */
export interface ActorReactorHandler extends ChannelEvents, TopicReactorHandler {
  /**
   * @param parentSlot the slot of the call on whose behalf this one is made, plus one; 0: none
   * @param deadlineMs a time of `clockMilliseconds`
   */
  onCall(
    id: number,
    actor: number,
    flags: number,
    deadlineMs: number,
    parentSlot: number,
    parentGeneration: number,
    key: string,
    bytes: Buffer,
    start: number,
    end: number,
  ): void;
  /**
   * Names a call that waits for the next CALL. The thread names its own call first, then the one that waits for that, and so on, up to the
   * first that the reactor has sent. The reactor knows calls over direct channels only from these messages.
   */
  onUnder(call: ChainCall): void;
  /**
   * From now on a conversation goes through the reactor.
   * @param messages calls of the conversation that are still open over the direct channel; 0: it has ended
   * @param made how many calls went over it since the last BACK
   * @param idleMs how long the conversation has had no open call
   */
  onBack(conversation: number, messages: number, bytes: number, made: number, idleMs: number): void;
  /** This thread has nothing open on a direct channel and no longer uses it. */
  onParted(channel: number): void;
  /** The caller no longer waits for the reply. */
  onCancel(id: number): void;
  onReply(slot: number, how: number, bytes: Buffer, start: number, end: number): void;
  /** The next item of a streamed reply. */
  onItem(slot: number, bytes: Buffer, start: number, end: number): void;
  /** The reader has taken `items` items; as many more may be sent. */
  onPull(id: number, items: number): void;
  /**
   * The next item of a streamed input (`How.Value`), or how the input ended.
   * @param input its place among the inputs of the call
   */
  onInput(id: number, input: number, how: number, bytes: Buffer, start: number, end: number): void;
  /** The method that reads an input accepts `items` more items; 0: it accepts no more. */
  onWant(slot: number, input: number, items: number): void;
  onManifest(actor: number, bytes: Buffer, start: number, end: number): void;
  /** The thread is about to end and accepts nothing new. */
  onLeaving(): void;
  /** An instance's `stop` has ended. The payload is what it threw; empty: it succeeded. */
  onStopped(actor: number, key: string, bytes: Buffer, start: number, end: number): void;
  /** An instance restarts in its thread. */
  onRestart(actor: number, key: string, news: number, bytes: Buffer, start: number, end: number): void;
}

/** The thread's side; as `ActorReactorHandler`. */
export interface ActorThreadHandler extends ChannelEvents, TopicThreadHandler {
  onDeliver(
    slot: number,
    generation: number,
    actor: number,
    flags: number,
    deadlineMs: number,
    key: string,
    bytes: Buffer,
    start: number,
    end: number,
  ): void;
  /** The call with this generation was recalled, or its caller no longer waits for it. */
  onAbort(slot: number, generation: number): void;
  /** No call runs on the instance, and none is sent to it until the thread has reported that it has stopped. */
  onStop(actor: number, key: string): void;
  onResult(id: number, how: number, bytes: Buffer, start: number, end: number): void;
  /**
   * The reply of one instance to a call for each instance.
   * @param how as in `onResult`
   * @param thread where the instance lives
   */
  onPart(
    id: number,
    how: number,
    thread: string,
    key: string,
    bytes: Buffer,
    start: number,
    end: number,
  ): void;
  onItem(id: number, bytes: Buffer, start: number, end: number): void;
  onPull(slot: number, generation: number, items: number): void;
  onInput(
    slot: number,
    generation: number,
    input: number,
    how: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void;
  onWant(id: number, input: number, items: number): void;
  onManifest(actor: number, bytes: Buffer, start: number, end: number): void;
  /** No call of this thread is open any more. */
  onLeft(): void;
  /**
   * A channel joins this thread to another. Its memory and port arrive separately.
   * @param role a `DirectRole`
   * @param backlogBytes how much may wait for the other thread to read
   */
  onMeet(channel: number, role: number, backlogBytes: number): void;
  /** The result of a CALL with the flag `Joins`. */
  onJoined(id: number, grant: Grant): void;
  /** The conversation must go through the reactor again. */
  onCallBack(conversation: number): void;
  /** The channel ends: the other thread is gone, or no longer uses it. */
  onSever(channel: number): void;
}
