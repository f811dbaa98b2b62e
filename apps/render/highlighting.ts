/**
 * Highlights code. Languages load when a document first uses them: all together they would cost every thread
 * some thirty milliseconds before its first response.
 */

import type { LanguageFn } from 'highlight.js';
import hljs from 'highlight.js/lib/core';
import { escapeHtml } from '../site/page.ts';

interface Language {
  /** Other names of the language. */
  readonly names?: readonly string[];
  /**
   * Languages to which its grammar passes parts of the code. They load with it, because a page must not
   * depend on the documents that this thread has seen before.
   */
  readonly nested?: readonly string[];
}

/** Only these languages are ever loaded; others are shown without highlighting. */
const LANGUAGES: { readonly [language: string]: Language } = {
  bash: { names: ['sh', 'zsh'] },
  c: { names: ['h'] },
  cpp: { names: ['c++', 'hpp'] },
  csharp: { names: ['cs', 'c#'] },
  css: {},
  diff: { names: ['patch'] },
  dockerfile: { names: ['docker'], nested: ['bash'] },
  go: { names: ['golang'] },
  graphql: {},
  ini: { names: ['toml'] },
  java: {},
  javascript: { names: ['js', 'mjs', 'cjs', 'jsx'], nested: ['xml', 'css', 'graphql'] },
  json: { names: ['jsonc', 'json5'] },
  kotlin: { names: ['kt'] },
  lua: {},
  makefile: { names: ['make'] },
  markdown: { names: ['md'], nested: ['xml'] },
  nginx: {},
  php: {},
  python: { names: ['py'] },
  ruby: { names: ['rb'] },
  rust: { names: ['rs'] },
  shell: { names: ['console', 'shellsession'], nested: ['bash'] },
  sql: {},
  swift: {},
  typescript: { names: ['ts', 'mts', 'cts', 'tsx'], nested: ['xml', 'css', 'graphql'] },
  wasm: { names: ['wat'] },
  xml: { names: ['html', 'svg'], nested: ['css', 'javascript'] },
  yaml: { names: ['yml'], nested: ['ruby'] },
};

const CANONICAL: ReadonlyMap<string, string> = new Map(
  Object.entries(LANGUAGES).flatMap(([language, { names = [] }]) =>
    [language, ...names].map((name): [string, string] => [name, language]),
  ),
);

/**
 * A grammar is a set of regular expressions. A longer block is shown without highlighting, whatever it might
 * do to them.
 */
const MAX_HIGHLIGHTED_LENGTH = 100_000;

/** @param infos the text after the opening fences: a language, and maybe more */
export async function loadLanguages(infos: readonly string[]): Promise<void> {
  const wanted = new Set<string>();
  for (const info of infos) {
    const language = languageOf(info);
    if (language !== undefined) wanted.add(language);
  }
  // The loop also visits languages that are added during it, so nested languages of nested ones are found.
  for (const language of wanted) {
    for (const nested of LANGUAGES[language].nested ?? []) wanted.add(nested);
    if (hljs.getLanguage(language) !== undefined) continue;
    const grammar = (await import(`highlight.js/lib/languages/${language}`)) as { default: LanguageFn };
    hljs.registerLanguage(language, grammar.default);
  }
}

function languageOf(info: string): string | undefined {
  return CANONICAL.get(/^[^\s{,]*/.exec(info)?.[0].toLowerCase() ?? '');
}

/** @returns HTML: the highlighter escapes what it marks up, and everything else is escaped here */
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
