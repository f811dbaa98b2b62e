/** What both sides of the soak test know: the content that belongs to an id. */

/** `length` bytes that no other id has: the id, over and over. */
export function content(id: string, length: number): Buffer {
  return Buffer.alloc(length, `${id} `);
}
