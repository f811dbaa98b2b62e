/**
 * A page with the error, its stack and the lines of source around it, for development.
 *
 * The trouble it stands for: it has to come last of all, and to know whether the head has gone.
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
      // Too late for a page: the response has to break off. And who was interrupted by its peer has not failed.
      if (!watched.isUnanswered) throw error;
      console.error(error);
      exchange.respond(500, PAGE_FIELDS, pageOf(error));
    }
  };
}

/** Also for the legacy form: what a page shows is not what differs. */
export function pageOf(error: unknown): string {
  const stack = error instanceof Error ? String(error.stack) : `thrown: ${String(error)}`;
  const source = error instanceof Error ? sourceOf(stack) : '';
  return `<!doctype html><title>${escapeHtml(String(error)).slice(0, 200)}</title>
<h1>${escapeHtml(String(error)).slice(0, 2000)}</h1>
<pre>${source}</pre>
<pre>${escapeHtml(stack).slice(0, SHOWN_CHARACTERS)}</pre>
`;
}

/** The lines around the first frame that is a file, with the one of the frame marked. */
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
    // The page is worth showing without: the file may have gone since it was loaded.
    return '';
  }
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
