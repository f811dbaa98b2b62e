/** What every measured server must respond, in one place for the servers and the checks. */

export const HELLO = 'hello, world\n';
export const LIGHT = 'light\n';
/** Every server sends body bytes in pieces of this size. */
export const CHUNK_BYTES = 65_536;

/** How long servers leave an idle HTTP/1.1 connection open: longer than it takes to open all of them. */
export const IDLE_TIMEOUT_MS = 120_000;

/** The number that ends a path such as `/download/1048576`; throws if there is none. */
export function numberInPath(path: string): number {
  const text = path.slice(path.lastIndexOf('/') + 1);
  const value = Number(text);
  if (text === '' || !Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`expected a path that ends in a whole number, got ${JSON.stringify(path)}`);
  }
  return value;
}

/** A message for a room of WebSockets: text like a chat's, of this many bytes. */
export function roomMessage(bytes: number): string {
  let text = '';
  for (let n = 0; text.length < bytes; n++) text += `{"from":"guest ${n % 7}","at":${1_000_000 + 37 * n}} `;
  return text.slice(0, bytes);
}
export const ROOM_MESSAGE_BYTES = { plain: 200, deflated: 2_048 } as const;
