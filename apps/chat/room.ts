/** Who is in the room, what was said last, and telling everybody. */

/** What the room needs of a socket. */
export interface Member {
  send(message: string): Promise<void>;
  close(code?: number, reason?: string): unknown;
}

export const MAX_LINE_BYTES = 4_096;
const REMEMBERED_LINES = 20;
/** RFC 6455's registry of close codes: try again later. */
const TRY_AGAIN_LATER = 1013;

export class Room {
  readonly #members = new Set<Member>();
  #lines: string[] = [];
  #names = 0;

  /** Tells the newcomer what was said last. @returns the name that it has from now on. */
  enter(member: Member): string {
    const name = `guest ${++this.#names}`;
    for (const line of this.#lines) this.#tell(member, line);
    this.#members.add(member);
    this.#announce(`${name} came in; ${this.#count()}`);
    return name;
  }

  say(name: string, line: string): void {
    const message = `${name}: ${line}`;
    this.#lines.push(message);
    if (this.#lines.length > REMEMBERED_LINES) this.#lines.shift();
    this.#announce(message);
  }

  leave(member: Member, name: string): void {
    this.#members.delete(member);
    this.#announce(`${name} left; ${this.#count()}`);
  }

  #count(): string {
    return this.#members.size === 1 ? 'one is here' : `${this.#members.size} are here`;
  }

  #announce(message: string): void {
    for (const member of this.#members) this.#tell(member, message);
  }

  /** Nobody waits for the slowest: a member that does not read has to go when its socket's limit is reached. */
  #tell(member: Member, message: string): void {
    member.send(message).catch(() => {
      this.#members.delete(member);
      member.close(TRY_AGAIN_LATER, 'too slow');
    });
  }
}
