/**
 * Highlighted code. Languages load when a document first names them: all together they would cost every thread some
 * thirty milliseconds before its first answer.
 */

import type { LanguageFn } from 'highlight.js';
import hljs from 'highlight.js/lib/core';
import { escapeHtml } from '../site/page.ts';

/** Language → other names for it. Only what is named here is ever loaded; the rest is shown plain. */
const LANGUAGES: { readonly [language: string]: readonly string[] } = {
  bash: ['sh', 'zsh'],
  c: ['h'],
  cpp: ['c++', 'hpp'],
  csharp: ['cs', 'c#'],
  css: [],
  diff: ['patch'],
  dockerfile: ['docker'],
  go: ['golang'],
  graphql: [],
  http: [],
  ini: ['toml'],
  java: [],
  javascript: ['js', 'mjs', 'cjs', 'jsx'],
  json: ['jsonc', 'json5'],
  kotlin: ['kt'],
  lua: [],
  makefile: ['make'],
  markdown: ['md'],
  nginx: [],
  php: [],
  python: ['py'],
  ruby: ['rb'],
  rust: ['rs'],
  shell: ['console', 'shellsession'],
  sql: [],
  swift: [],
  typescript: ['ts', 'mts', 'cts', 'tsx'],
  wasm: ['wat'],
  xml: ['html', 'svg'],
  yaml: ['yml'],
};

const CANONICAL: ReadonlyMap<string, string> = new Map(
  Object.entries(LANGUAGES).flatMap(([language, aliases]) =>
    [language, ...aliases].map((name): [string, string] => [name, language]),
  ),
);

/** A grammar is a set of regular expressions; beyond this a block is shown plain, whatever it might do to them. */
const MAX_HIGHLIGHTED_LENGTH = 100_000;

/** @param infos what stands behind the fences: a language, and maybe more. */
export async function loadLanguages(infos: readonly string[]): Promise<void> {
  const languages = new Set(infos.map(languageOf));
  for (const language of languages) {
    if (language === undefined || hljs.getLanguage(language) !== undefined) continue;
    const grammar = (await import(`highlight.js/lib/languages/${language}`)) as { default: LanguageFn };
    hljs.registerLanguage(language, grammar.default);
  }
}

function languageOf(info: string): string | undefined {
  return CANONICAL.get(/^[^\s{,]*/.exec(info)?.[0].toLowerCase() ?? '');
}

/** @returns HTML: the highlighter escapes what it marks up, and what it does not know is escaped here. */
export function highlight(code: string, info: string): string {
  const language = languageOf(info);
  if (
    language === undefined ||
    code.length > MAX_HIGHLIGHTED_LENGTH ||
    hljs.getLanguage(language) === undefined
  ) {
    return escapeHtml(code);
  }
  return hljs.highlight(code, { language, ignoreIllegals: true }).value;
}
