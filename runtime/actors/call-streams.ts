/** Items of streamed inputs and replies, relayed between the thread that calls and the thread that runs the method, each within its credit. */
import type { ActorLink, StreamOwner } from './link.ts';
import type { ActorCall } from './mailbox.ts';
import type { OpenCalls } from './open-calls.ts';

export class CallStreams implements StreamOwner {
  readonly #calls: OpenCalls;

  constructor(calls: OpenCalls) {
    this.#calls = calls;
  }

  onItem(link: ActorLink, call: ActorCall, bytes: Buffer, start: number, end: number): void {
    const { caller } = call;
    if (caller === null || caller.item(call.id, bytes, start, end)) return;
    // Its reader has credit for no more than its window, so this is a thread that reads nothing at all, of many streams.
    this.#calls.breakOff(link, call, 'this thread has not read what came before');
  }

  onInput(call: ActorCall, input: number, how: number, bytes: Buffer, start: number, end: number): void {
    const { link } = call;
    // The method asks for an input only once it has begun, so there is a thread for it.
    if (link === null || call.state !== 'given' || link.input(call, input, how, bytes, start, end)) return;
    this.#calls.breakOff(link, call, 'its thread has not read what came before');
  }

  onWant({ caller, id }: ActorCall, input: number, items: number): void {
    caller?.send(0, () => caller.end.sendWant(id, input, items));
  }

  onPull(call: ActorCall, items: number): void {
    const { link, slot, generation } = call;
    if (link !== null && call.state === 'given')
      link.send(0, () => link.end.sendPull(slot, generation, items));
  }
}
