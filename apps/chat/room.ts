/**
 * A room as one thread sees it: the members whose sockets are on this thread, and one subscription to the
 * lines of all threads' members.
 *
 * A line is framed once for all sockets of the thread. No member delays the others: one that does not read is
 * disconnected when its buffer is full.
 */
import { threadId } from 'node:worker_threads';
import { actor, type Subscription } from '../../workers/actors/actors.ts';
import { PreparedMessage } from '../../workers/websocket/accept.ts';
import { type Line, linesOf, REMEMBERED_LINES } from './lines.ts';
import type { Memory } from './memory.ts';

/** What the room needs from a socket. */
export interface Member {
  trySend(message: PreparedMessage): boolean;
  close(code?: number, reason?: string): unknown;
}

/** RFC 6455's registry of close codes: try again later. */
const TRY_AGAIN_LATER = 1013;
/** With more members than this on a thread, arrivals and departures are not announced. */
const ANNOUNCED_MEMBERS = 50;
/** Lines that may wait for this thread. */
const CAPACITY = 1_024;

const memories = actor<typeof Memory>('memory');
const rooms = new Map<string, Room>();
let lastNumber = 0;

/**
 * A member enters.
 * @returns the object with which it sends its lines and leaves
 */
export async function enter(name: string, member: Member): Promise<Stay> {
  for (;;) {
    const room = rooms.get(name) ?? new Room(name);
    await room.opened;
    // The last member may have left, and the room may have been closed, just before.
    if (room.state === 'open') return room.enter(member);
  }
}

export interface Stay {
  readonly name: string;
  /** Resolves when the line has been published. */
  say(text: string): Promise<void>;
  leave(): void;
}

class Room {
  readonly opened: Promise<void>;
  state: 'opening' | 'open' | 'closed' = 'opening';
  readonly #name: string;
  readonly #members = new Set<Member>();
  readonly #said: Subscription<Line>;
  readonly #lines: Line[] = [];

  constructor(name: string) {
    this.#name = name;
    rooms.set(name, this);
    this.#said = linesOf(name).subscribe({ capacity: CAPACITY });
    this.opened = this.#open();
  }

  async #open(): Promise<void> {
    try {
      await this.#said.ready;
      this.#lines.push(...(await memories.of(this.#name).recall()));
    } catch (error) {
      this.#close();
      throw error;
    }
    this.state = 'open';
    void this.#listen(new Set(this.#lines.map(({ id }) => id)));
  }

  /** @param known lines that the memory had already received when it was asked */
  async #listen(known: ReadonlySet<string>): Promise<void> {
    let missed = 0;
    for await (const line of this.#said) {
      if (this.#said.missed > missed) {
        this.#tell(fromRoom(`${this.#said.missed - missed} lines were lost on the way to this thread`));
        missed = this.#said.missed;
      }
      if (known.has(line.id)) continue;
      this.#lines.push(line);
      if (this.#lines.length > REMEMBERED_LINES) this.#lines.shift();
      this.#tell(line);
    }
  }

  enter(member: Member): Stay {
    const name = `guest ${threadId}.${++lastNumber}`;
    for (const line of this.#lines) member.trySend(messageOf(line));
    member.trySend(messageOf(fromRoom(`welcome to ${this.#name}, ${name}`)));
    this.#members.add(member);
    this.#announce(`${name} joined on thread ${threadId}, which has ${this.#count()}`);
    return {
      name,
      say: (text) => this.#publish(name, text),
      leave: () => this.#leave(member, name),
    };
  }

  #leave(member: Member, name: string): void {
    if (!this.#members.delete(member)) return;
    this.#announce(`${name} left thread ${threadId}, which has ${this.#count()}`);
    if (this.#members.size === 0) this.#close();
  }

  #close(): void {
    this.state = 'closed';
    this.#said.close();
    if (rooms.get(this.#name) === this) rooms.delete(this.#name);
  }

  #count(): string {
    return this.#members.size === 1 ? '1 member' : `${this.#members.size} members`;
  }

  #announce(text: string): void {
    if (this.#members.size <= ANNOUNCED_MEMBERS) void this.#publish('', text);
  }

  #publish(from: string, text: string): Promise<void> {
    return linesOf(this.#name).publish({ ...fromRoom(text), from });
  }

  #tell(line: Line): void {
    const message = messageOf(line);
    for (const member of this.#members) {
      if (!member.trySend(message)) member.close(TRY_AGAIN_LATER, 'too slow');
    }
  }
}

function fromRoom(text: string): Line {
  return { id: `${threadId}.${++lastNumber}`, from: '', text, saidOn: threadId };
}

/** The line as members get it, with the thread that delivers it. */
function messageOf({ from, text, saidOn }: Line): PreparedMessage {
  return new PreparedMessage(JSON.stringify({ from, text, saidOn, toldBy: threadId }));
}
