/** Formats numbers and times for people, and creates elements of the page. */

export function element<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element ${id}`);
  return found as Kind;
}

/** @param text is text, whatever it looks like */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className = '',
  text = '',
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  if (text !== '') made.textContent = text;
  return made;
}

/** Only what differs is written, so that nothing is laid out anew for it. */
export function say(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function duration(ms: number): string {
  if (ms < 0.05) return '0 ms';
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
}

export function bytes(count: number): string {
  if (count < 10_240) return `${Math.round(count)} B`;
  if (count < 10_485_760) return `${Math.round(count / 1_024)} KiB`;
  return `${Math.round(count / 1_048_576)} MiB`;
}

export function rate(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

export function percent(part: number): string {
  return `${Math.round(100 * part)}%`;
}
