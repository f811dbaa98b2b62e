/**
 * Highlighted code. Languages load when a document first names them: all together they would cost every thread some
 * thirty milliseconds before its first answer.
 */

import type { LanguageFn } from 'highlight.js';
import hljs from 'highlight.js/lib/core';
import { escapeHtml } from '../site/page.ts';

interface Language {
  /** Other names for it. */
  readonly names?: readonly string[];
  /**
   * Languages that its grammar hands parts of the code to. They load with it: a page must not depend on what other
   * documents this thread has seen before.
   */
  readonly nested?: readonly string[];
}

/** Only what is named here is ever loaded; the rest is shown plain. */
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

/** A grammar is a set of regular expressions; beyond this a block is shown plain, whatever it might do to them. */
const MAX_HIGHLIGHTED_LENGTH = 100_000;

/** @param infos what stands behind the fences: a language, and maybe more. */
export async function loadLanguages(infos: readonly string[]): Promise<void> {
  const wanted = new Set<string>();
  for (const info of infos) {
    const language = languageOf(info);
    if (language !== undefined) wanted.add(language);
  }
  // What is added while the set is walked is walked as well, so nested languages of nested ones are found.
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
