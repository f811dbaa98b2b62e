/** Copies the project's pages into the site's folder, with the links that lead out of the site made text. */
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const siteFolder = fileURLToPath(new URL('./', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const PATTERNS = ['*.md', '{docs,wire,runtime,workers,bench,apps}/**/*.md'];

/** What the site's highlighter has no grammar of. */
const UNKNOWN_LANGUAGES = /^```(?:haproxy|promql|befunge)/;

/** Relative to the project's root. `sample.md` is what a sample application renders. */
export function sitePages(): string[] {
  return globSync(PATTERNS, { cwd: root, exclude: ['**/node_modules/**', 'docs/site/**'] })
    .filter((file) => file !== 'apps/render/sample.md')
    .sort();
}

/** @param folder where the pages go, in folders as in the project */
export function copyPages(folder: string): void {
  const pages = sitePages();
  const known = new Set(pages);
  for (const page of pages) {
    const target = join(folder, page);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, pageOf(page, readFileSync(join(root, page), 'utf8'), known));
  }
  for (const pictures of ['docs/pictures', 'bench/results/plots']) {
    if (existsSync(join(root, pictures)))
      cpSync(join(root, pictures), join(folder, pictures), { recursive: true });
  }
}

/** @returns the text for the site: links to what is no page of it become text, and relative pictures are found by the bundler. */
export function pageOf(page: string, text: string, known: ReadonlySet<string>): string {
  return text
    .split(/(^```[\s\S]*?^```$)/m)
    .map((part) =>
      part.startsWith('```') ? part.replace(UNKNOWN_LANGUAGES, '```txt') : prose(page, part, known),
    )
    .join('');
}

function prose(page: string, text: string, known: ReadonlySet<string>): string {
  return text
    .replaceAll(/(?<!!)\[((?:`[^`]*`|[^\]`])*)\]\(([^)\s]+)\)/g, (link, words: string, target: string) => {
      if (/^[a-z]+:/.test(target) || target.startsWith('#')) return link;
      const [path = ''] = target.split('#');
      return known.has(normalize(join(dirname(page), path))) ? link : words;
    })
    .replaceAll(/\b(src|srcset)="(?![a-z]+:|[./])/g, '$1="./');
}
