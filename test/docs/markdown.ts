/** What the tests read out of the project's pages: fenced blocks, links, headings. */
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Block {
  readonly language: string;
  readonly text: string;
}

export function read(file: string): string {
  return readFileSync(`${root}${file}`, 'utf8');
}

/** Every page of the project, relative to its root. */
export async function pages(): Promise<string[]> {
  const found: string[] = [];
  const patterns = ['*.md', '{docs,wire,runtime,workers,bench,apps}/**/*.md'];
  for await (const file of glob(patterns, { cwd: root, exclude: ['**/node_modules/**', 'docs/site/**'] }))
    found.push(file);
  return found.sort();
}

const fence = /^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm;

export function blocksOf(text: string): Block[] {
  return [...text.matchAll(fence)].map(([, language = '', body = '']) => ({ language, text: body }));
}

/**
 * The whole modules among a page's blocks, by file name: those whose first line is a comment with it (`// hello.ts`). Other
 * blocks are fragments.
 */
export function modulesOf(text: string): Map<string, string> {
  const modules = new Map<string, string>();
  for (const block of blocksOf(text)) {
    const name = /^\/\/ ([\w.-]+\.[jt]s)\n/.exec(block.text)?.[1];
    if (name !== undefined) modules.set(name, block.text);
  }
  return modules;
}

/** The blocks of a language that are no whole modules: parts of one, which stand for themselves. */
export function fragmentsOf(text: string, language: string): string[] {
  return blocksOf(text)
    .filter((block) => block.language === language && !/^\/\/ [\w.-]+\.[jt]s\n/.test(block.text))
    .map((block) => block.text);
}

/** The text without its fenced and inline code, in which a bracket is no link. */
export function withoutCode(text: string): string {
  return text.replaceAll(fence, '').replaceAll(/`[^`\n]*`/g, '');
}

export function linksOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string);
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of text.replaceAll(fence, '').matchAll(/^#{1,6} (.*)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}
