/** The messages in a room's topic, and their limits. */
import { type Topic, topic } from '../../workers/actors/actors.ts';

/** A line that all members of a room get. */
export interface Line {
  /** Unique in the process. */
  readonly id: string;
  /** Empty: the room itself. */
  readonly from: string;
  readonly text: string;
  /** The thread that has the sender's socket. */
  readonly saidOn: number;
}

export const MAX_LINE_BYTES = 4_096;
/** The number of earlier lines that a newcomer gets. */
export const REMEMBERED_LINES = 20;
/** Characters that need no escaping in a URL. */
const ROOM_NAME = /^[\w-]{1,40}$/;

/** Null: not a valid name of a room. */
export function roomNameOf(query: string | null): string | null {
  const name = query ?? 'lobby';
  return ROOM_NAME.test(name) ? name : null;
}

export function linesOf(room: string): Topic<Line> {
  return topic<Line>(`chat/${room}`);
}
