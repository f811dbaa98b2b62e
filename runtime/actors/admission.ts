/** Decides whether a mailbox accepts another call. */
import { CallFlag } from '../../wire/actors/messages.ts';
import type { Ancestor, Mailbox } from './mailbox.ts';

/** Why the mailbox does not take a call; null: it does. */
export function refusalOf(
  mailbox: Mailbox,
  flags: number,
  parent: Ancestor | null,
  bytes: number,
): { readonly code: string; readonly message: string } | null {
  const { name, mailboxMessages, mailboxBytes } = mailbox.actor.settings;
  if (
    mailbox.messages + mailbox.asideMessages >= mailboxMessages ||
    mailbox.bytes + mailbox.asideBytes + bytes > mailboxBytes
  ) {
    const message = `${name}: expected at most ${mailboxMessages} messages and ${mailboxBytes} bytes in the mailbox`;
    return { code: 'SLUICE_ACTOR_OVERLOADED', message };
  }
  const circle = parent === null ? null : circleOf(mailbox, flags, parent);
  return circle === null ? null : { code: 'SLUICE_ACTOR_CYCLE', message: circle };
}

/** What is wrong with the chain of calls that this one would end; null: nothing. */
function circleOf({ actor, key }: Mailbox, flags: number, parent: Ancestor): string | null {
  const { name, kind, maxCallDepth } = actor.settings;
  const waits = kind !== 'pool' && (flags & CallFlag.Interleaves) === 0;
  let depth = 1;
  for (let call: Ancestor | null = parent; call !== null; call = call.parent, depth++) {
    if (call.isOver) break;
    if (waits && call.actor === actor && call.key === key && (call.flags & CallFlag.Interleaves) === 0) {
      const instance = key === '' ? name : `${name} ${JSON.stringify(key)}`;
      return `${instance}: the call waits, by ${depth} others, for the instance that it calls; list the method in static interleave if it may run meanwhile`;
    }
  }
  return depth <= maxCallDepth ? null : `${name}: expected at most ${maxCallDepth} calls within calls`;
}
