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
  /** Nobody waits for its end: the result is that it is in the mailbox. */
  Tell: 1,
  /** It may begin while another of its instance runs. */
  Interleaves: 2,
  /** The reply is a stream: items, each against credit, then how it ended. Credit for `streamItems` comes with the call. */
  Streams: 4,
  /** Some arguments are streams: their places come, as a list, behind the arguments. */
  Inputs: 8,
  /** Given up and not ended within the actor's grace, it ends its thread. */
  Hard: 16,
  /** It is for every instance that there is: the replies come as parts, then RESULT. */
  Each: 32,
  /** Stores of the caller's context come behind that, before the method's name. */
  Carries: 64,
  /** Calls no method: its caller wants to speak to the instance's thread directly. It begins when all before it has begun. */
  Joins: 128,
  /** It was given over a direct channel, did not begin there, and has its room in the mailbox already. */
  Moved: 256,
  /** UNDER messages, just before it, have named the calls that wait for it. */
  Under: 512,
  /** The payload names the calls that wait for it, between the stores and the method's name; nil if only the reactor knows them. */
  Chained: 1024,
} as const;

/** A call that waits for another one to end. */
export interface ChainCall {
  /** The number of the direct channel that it was given over; 0: the reactor gave it. */
  readonly channel: number;
  readonly slot: number;
  readonly generation: number;
  readonly actor: number;
  readonly flags: number;
  readonly key: string;
}

/** What a thread is to do with a channel that joins it to another. */
export const DirectRole = {
  /** It gives calls. */
  Calls: 0,
  /** It replies to them. */
  Replies: 1,
} as const;
export type DirectRole = (typeof DirectRole)[keyof typeof DirectRole];

/** What JOINED grants: calls to the instance may go over a direct channel from here on. */
export interface Grant {
  /** The reactor's number for the conversation. */
  readonly conversation: number;
  readonly channel: number;
  /** So much of it may be under way at a time. */
  readonly messages: number;
  readonly bytes: number;
  /** Grants that follow for the same CALL: of a `pool` actor there is one for each of its threads. */
  readonly left: number;
}

/** What RESTART tells of an instance. */
export const RestartNews = {
  /** It wants to begin anew; the payload is why. */
  Wanted: 0,
  /** The payload is what its `stop` threw. */
  StopFailed: 1,
  /** The payload is what its constructor or its `start` threw: there is no instance until the next call. */
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
  /** To a tell: it is in the mailbox. */
  Accepted: 3,
  /** Of a streamed input: it is complete. */
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

/** What a thread says of an actor that it hosts: the payload of MANIFEST. */
export interface ActorManifest {
  readonly methods: readonly MethodManifest[];
}

export interface MethodManifest {
  readonly name: string;
  readonly interleaves: boolean;
  /** It is an async generator. */
  readonly streams: boolean;
}

/** The reactor's side. `bytes[start, end)` is a payload in shared memory, valid during the call. */
export interface ActorReactorHandler extends ChannelEvents, TopicReactorHandler {
  /**
   * @param parentSlot of the call that this thread makes this one for, plus one; 0: none
   * @param deadlineMs of `clockMilliseconds`
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
   * A call that waits for the next CALL. The thread names its own call first, then the one that waits for that, and so on, up to the first
   * that the reactor has given: of those over direct channels the reactor knows nothing else.
   */
  onUnder(call: ChainCall): void;
  /**
   * A conversation goes by way of the reactor from here on. @param messages of it that are not over, over the direct channel; 0: it has
   * ended @param made how many went over it since the last BACK
   * @param idleMs since when it had nothing
   */
  onBack(conversation: number, messages: number, bytes: number, made: number, idleMs: number): void;
  /** Nothing of a direct channel is open at this thread, which uses it no more. */
  onParted(channel: number): void;
  /** Nobody waits for the reply any more. */
  onCancel(id: number): void;
  onReply(slot: number, how: number, bytes: Buffer, start: number, end: number): void;
  /** The next of a streamed reply. */
  onItem(slot: number, bytes: Buffer, start: number, end: number): void;
  /** Its reader has taken so many items: as many more may come. */
  onPull(id: number, items: number): void;
  /** The next of a streamed input (`How.Value`), or how it ended. @param input its place among the inputs of the call */
  onInput(id: number, input: number, how: number, bytes: Buffer, start: number, end: number): void;
  /** The method that reads an input takes so many items more; 0: none any more. */
  onWant(slot: number, input: number, items: number): void;
  onManifest(actor: number, bytes: Buffer, start: number, end: number): void;
  /** The thread is to end: nothing new for it. */
  onLeaving(): void;
  /** An instance's `stop` has ended. An empty payload: well; otherwise what it threw. */
  onStopped(actor: number, key: string, bytes: Buffer, start: number, end: number): void;
  /** An instance begins anew where it lives. */
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
  /** The call with this generation is recalled, or nobody waits for it any more. */
  onAbort(slot: number, generation: number): void;
  /** Nothing runs on the instance, and nothing comes for it until the thread has said that it has stopped. */
  onStop(actor: number, key: string): void;
  onResult(id: number, how: number, bytes: Buffer, start: number, end: number): void;
  /** The reply of one instance to a call that is for each. @param how as of `onResult` @param thread where it lives */
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
  /** Nothing of this thread's is open any more. */
  onLeft(): void;
  /** A channel joins this thread to another; what it is made of comes beside this. @param role a `DirectRole` @param backlogBytes what may wait for the other thread to read it */
  onMeet(channel: number, role: number, backlogBytes: number): void;
  /** The result of a CALL that joins. */
  onJoined(id: number, grant: Grant): void;
  /** The conversation is to go by way of the reactor again. */
  onCallBack(conversation: number): void;
  /** The channel ends: the other thread is gone, or has no use for it. */
  onSever(channel: number): void;
}
