/** Makes text of a peer or an application safe for a terminal: it can neither move the cursor nor begin a new line. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '?');
}
