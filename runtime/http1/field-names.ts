/**
 * Field names in lower case, each as one string for all requests that contain it. The look-up also says what
 * the server does with the field, so no name is compared twice.
 *
 * The table is direct-mapped and has a fixed size: a name is replaced by the next one that maps to its place.
 * The look-up compares all bytes of a name, so nothing that one peer sent can appear in another peer's
 * request.
 */
import { latin1String } from '../bytes/latin1.ts';
import { LOWER } from './characters.ts';

/** What the server itself does with a field. */
export const FieldKind = {
  /** Passed to the application. */
  Other: 0,
  Host: 1,
  ContentLength: 2,
  TransferEncoding: 3,
  Connection: 4,
  Upgrade: 5,
  Te: 6,
  Expect: 7,
  Http2Settings: 8,
  /** Meant for this connection only (RFC 9110 section 7.6.1). */
  Hop: 9,
} as const;
export type FieldKind = (typeof FieldKind)[keyof typeof FieldKind];

export class FieldName {
  readonly text: string;
  readonly kind: FieldKind;

  constructor(text: string, kind: FieldKind) {
    this.text = text;
    this.kind = kind;
  }
}

const SLOTS = 1_024;
/** Longer names are not kept. */
const MAX_KEPT_BYTES = 40;

const known: readonly FieldName[] = [
  new FieldName('host', FieldKind.Host),
  new FieldName('content-length', FieldKind.ContentLength),
  new FieldName('transfer-encoding', FieldKind.TransferEncoding),
  new FieldName('connection', FieldKind.Connection),
  new FieldName('upgrade', FieldKind.Upgrade),
  new FieldName('te', FieldKind.Te),
  new FieldName('expect', FieldKind.Expect),
  new FieldName('http2-settings', FieldKind.Http2Settings),
  new FieldName('keep-alive', FieldKind.Hop),
  new FieldName('proxy-connection', FieldKind.Hop),
];

const slots: (FieldName | null)[] = new Array(SLOTS).fill(null);
/** The places of the names above. Nothing may replace them, because their kinds must be found. */
const isPinned = new Uint8Array(SLOTS);
for (const name of known) {
  const bytes = Buffer.from(name.text, 'latin1');
  const slot = slotOf(bytes, 0, bytes.length);
  if (isPinned[slot] === 1) throw new Error(`two names that the server looks for share a slot: ${name.text}`);
  slots[slot] = name;
  isPinned[slot] = 1;
}

/** The name that the token bytes[start,end) spells, in any case. */
export function fieldNameOf(bytes: Uint8Array, start: number, end: number): FieldName {
  const slot = slotOf(bytes, start, end);
  const kept = slots[slot] as FieldName | null;
  if (kept !== null && spells(bytes, start, end, kept.text)) return kept;
  const name = new FieldName(latin1String(bytes, start, end - start).toLowerCase(), FieldKind.Other);
  if (end - start <= MAX_KEPT_BYTES && isPinned[slot] === 0) slots[slot] = name;
  return name;
}

/** Computed from the length and three of the characters. */
function slotOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const first = LOWER[bytes[start] as number] as number;
  const middle = LOWER[bytes[start + (length >> 1)] as number] as number;
  const last = LOWER[bytes[end - 1] as number] as number;
  return (length * 131 + first * 7 + middle * 31 + last * 61) & (SLOTS - 1);
}

function spells(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) {
    if (LOWER[bytes[start + i] as number] !== text.charCodeAt(i)) return false;
  }
  return true;
}
