/**
 * Reads a request's content under a limit. It is checked while it arrives, first against the announced length
 * and then against the bytes that have arrived, so that nothing over the limit is ever held.
 */
import type { Exchange } from '../../workers/gateway.ts';
import { Refusal } from './routing.ts';

/**
 * Room for the first pieces, which doubles as needed: the announced length is only a claim, so it reserves no
 * memory.
 */
const FIRST_ROOM_BYTES = 64 * 1024;

/**
 * @param onPrefix is called after each piece with everything that has arrived so far, and may throw to refuse
 * the rest
 * @throws Refusal 413
 */
export async function readBytes(
  exchange: Exchange,
  limitBytes: number,
  onPrefix?: (prefix: Uint8Array<ArrayBuffer>) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const announcedBytes = Number(exchange.request.fields.get('content-length') ?? -1);
  if (announcedBytes > limitBytes) throw tooLarge(limitBytes, `${announcedBytes} were announced`);

  let whole = new Uint8Array(Math.min(FIRST_ROOM_BYTES, announcedBytes >= 0 ? announcedBytes : limitBytes));
  let length = 0;
  for await (const piece of exchange.body) {
    const needed = length + piece.length;
    if (needed > limitBytes) throw tooLarge(limitBytes, 'got more');
    if (needed > whole.length)
      whole = grown(whole, length, Math.min(limitBytes, Math.max(needed, whole.length * 2)));
    whole.set(piece, length);
    length = needed;
    onPrefix?.(whole.subarray(0, length));
  }
  return whole.subarray(0, length);
}

/** @throws Refusal 413, and 400 if the content is not UTF-8 */
export async function readText(exchange: Exchange, limitBytes: number): Promise<string> {
  const bytes = await readBytes(exchange, limitBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // The decoder does not say where the invalid byte is.
    throw new Refusal(400, 'The body must be UTF-8 text, and is not.');
  }
}

function grown(bytes: Uint8Array, length: number, roomBytes: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(roomBytes);
  larger.set(bytes.subarray(0, length));
  return larger;
}

function tooLarge(limitBytes: number, found: string): Refusal {
  return new Refusal(413, `The body may have at most ${limitBytes} bytes; ${found}.`);
}

/** The media type of the request, without parameters and in lower case; '' if there is none. */
export function mediaType(exchange: Exchange): string {
  const value = exchange.request.fields.get('content-type') ?? '';
  const end = value.indexOf(';');
  return (end === -1 ? value : value.slice(0, end)).trim().toLowerCase();
}
