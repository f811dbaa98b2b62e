/** What goes through a room's topic, and its bounds. */
import { type Topic, topic } from '../../workers/actors/actors.ts';

/** Something that all in a room are told. */
export interface Line {
  /** One of a kind in the process. */
  readonly id: string;
  /** Empty: the room itself. */
  readonly from: string;
  readonly text: string;
  /** The thread that has the sender's socket. */
  readonly saidOn: number;
}

export const MAX_LINE_BYTES = 4_096;
/** What a newcomer is told. */
export const REMEMBERED_LINES = 20;
/** As they stand in a URL. */
const ROOM_NAME = /^[\w-]{1,40}$/;

/** Null: no name of a room. */
export function roomNameOf(query: string | null): string | null {
  const name = query ?? 'lobby';
  return ROOM_NAME.test(name) ? name : null;
}

export function linesOf(room: string): Topic<Line> {
  return topic<Line>(`chat/${room}`);
}
