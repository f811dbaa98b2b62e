/** Text that a peer or an application chose, for a terminal: no part of it moves the cursor or begins a line. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '?');
}
