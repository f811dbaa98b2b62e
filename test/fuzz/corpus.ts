/**
 * Small inputs to begin with. A file has one piece on each line (a frame, a request, a field block):
 * hexadecimal, or text in JSON's quotes, or several of both. Text after a `#` is a comment.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type CorpusName = 'http1' | 'http2' | 'hpack';

export function readCorpus(name: CorpusName): Buffer[][] {
  const directory = fileURLToPath(new URL(`corpus/${name}/`, import.meta.url));
  return readdirSync(directory)
    .sort()
    .map((file) => parseSeed(readFileSync(`${directory}${file}`, 'utf8')));
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[0-9a-f]{2}|#.*|\s+/gy;

/** @throws Error for anything else. */
export function parseSeed(text: string): Buffer[] {
  const pieces: Buffer[] = [];
  for (const line of text.split('\n')) {
    const parts: Buffer[] = [];
    let read = 0;
    for (const [token] of line.matchAll(TOKEN)) {
      read += token.length;
      if (token.startsWith('"')) parts.push(Buffer.from(JSON.parse(token), 'latin1'));
      else if (!token.startsWith('#') && token.trim() !== '') parts.push(Buffer.from(token, 'hex'));
    }
    if (read !== line.length) throw new Error(`corpus: neither hexadecimal nor text: ${line}`);
    if (parts.length > 0) pieces.push(Buffer.concat(parts));
  }
  return pieces;
}
