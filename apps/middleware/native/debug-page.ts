/**
 * A page with the error, its stack and the lines of source around it, for development.
 *
 * The trouble it stands for: it has to come last of all and know whether the head has gone. It needs no wrapper for that: the
 * interface itself refuses a second head.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Exchange, GatewayError, Middleware } from '../../../workers/gateway.ts';

const LINES_AROUND = 4;
const SHOWN_CHARACTERS = 20_000;

export function debugPage(): Middleware {
  return (application) => async (exchange) => {
    try {
      await application(exchange);
    } catch (error) {
      // Who was interrupted by its peer has not failed, and nobody is there to read.
      if (codeOf(error) === 'SLUICE_EXCHANGE_CLOSED') throw error;
      if (!respondWith(exchange, error)) throw error;
      console.error(error);
    }
  };
}

function respondWith(exchange: Exchange, error: unknown): boolean {
  try {
    exchange.respond(
      500,
      { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
      pageOf(error),
    );
    return true;
  } catch (refused) {
    const code = codeOf(refused);
    if (code === 'SLUICE_RESPONSE_STARTED' || code === 'SLUICE_EXCHANGE_CLOSED') return false;
    throw refused;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as GatewayError | null)?.code;
}

function pageOf(error: unknown): string {
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
