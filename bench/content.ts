/** What every measured server must answer, so that the servers and the checks cannot drift apart. */

export const HELLO = 'hello, world\n';
export const LIGHT = 'light\n';
/** Body bytes are sent in pieces of this size by every server. */
export const CHUNK_BYTES = 65_536;

/** The number that ends a path such as `/download/1048576`; throws on anything else. */
export function numberInPath(path: string): number {
  const text = path.slice(path.lastIndexOf('/') + 1);
  const value = Number(text);
  if (text === '' || !Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`expected a path that ends in a whole number, got ${JSON.stringify(path)}`);
  }
  return value;
}

/** What a room of WebSockets is told: text like a chat's, of so many bytes. */
export function roomMessage(bytes: number): string {
  let text = '';
  for (let n = 0; text.length < bytes; n++) text += `{"from":"guest ${n % 7}","at":${1_000_000 + 37 * n}} `;
  return text.slice(0, bytes);
}
export const ROOM_MESSAGE_BYTES = { plain: 200, deflated: 2_048 } as const;
