/** A queue of calls that wait for an instance. */
export interface Queued<C> {
  previous: C | null;
  next: C | null;
}

/** First in, first out. A call can also be removed from the middle. */
export class CallQueue<C extends Queued<C>> {
  head: C | null = null;
  #tail: C | null = null;

  push(call: C): void {
    call.previous = this.#tail;
    call.next = null;
    if (this.#tail === null) this.head = call;
    else this.#tail.next = call;
    this.#tail = call;
  }

  remove(call: C): void {
    if (call.previous === null) this.head = call.next;
    else call.previous.next = call.next;
    if (call.next === null) this.#tail = call.previous;
    else call.next.previous = call.previous;
    call.previous = null;
    call.next = null;
  }
}
