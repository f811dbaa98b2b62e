/**
 * A page with the error, its stack and the lines of source around it, for development.
 *
 * The difficulty it demonstrates: it must come last of all, and must know whether the head has left.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Middleware } from '../../../workers/gateway.ts';
import { WatchedExchange } from './watched-exchange.ts';

const PAGE_FIELDS = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' };
const LINES_AROUND = 4;
const SHOWN_CHARACTERS = 20_000;

export function debugPage(): Middleware {
  return (application) => async (exchange) => {
    const watched = new WatchedExchange(exchange);
    try {
      await application(watched);
    } catch (error) {
      // It is too late for a page: the response must break off. And an application that was interrupted by
      // its peer has not failed.
      if (!watched.isUnanswered) throw error;
      console.error(error);
      exchange.respond(500, PAGE_FIELDS, pageOf(error));
    }
  };
}

/** Also used by the legacy form, because the content of the page is not what differs. */
export function pageOf(error: unknown): string {
  const stack = error instanceof Error ? String(error.stack) : `thrown: ${String(error)}`;
  const source = error instanceof Error ? sourceOf(stack) : '';
  return `<!doctype html><title>${escapeHtml(String(error)).slice(0, 200)}</title>
<h1>${escapeHtml(String(error)).slice(0, 2000)}</h1>
<pre>${source}</pre>
<pre>${escapeHtml(stack).slice(0, SHOWN_CHARACTERS)}</pre>
`;
}

/** The lines around the first frame that is in a file, with the frame's line marked. */
function sourceOf(stack: string): string {
  const frame = /(file:\/\/\/[^\s)]+?|\/[^\s():]+):(\d+):\d+/.exec(stack);
  if (frame === null) return '';
  const [, place = '', at = '0'] = frame;
  try {
    const lines = readFileSync(place.startsWith('file:') ? fileURLToPath(place) : place, 'utf8').split('\n');
    const first = Math.max(0, Number(at) - 1 - LINES_AROUND);
    const shown = lines.slice(first, Number(at) + LINES_AROUND);
    return shown
      .map((line, i) => {
        const number = first + i + 1;
        const text = escapeHtml(`${String(number).padStart(5)} ${line}`);
        return number === Number(at) ? `<mark>${text}</mark>` : text;
      })
      .join('\n');
  } catch {
    // The page is useful without the source: the file may have been removed since it was loaded.
    return '';
  }
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
