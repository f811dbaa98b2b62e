/** The site's navigation: README's map, "Where to read on", and what only the site has. */
import { readFileSync } from 'node:fs';

export interface Entry {
  readonly text: string;
  readonly link: string;
}

export interface Section {
  readonly text: string;
  readonly items: readonly Entry[];
}

const MORE: Readonly<Record<string, readonly Entry[]>> = {
  'The interface': [{ text: 'Reference', link: '/reference/' }],
  Internals: [{ text: 'Benchmark results', link: '/bench/results/' }],
};

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

export const sidebar: readonly Section[] = [
  { text: 'Start', items: [{ text: 'What Sluice is', link: '/' }] },
  ...[...readme.matchAll(/^\| \*\*([^*]+)\*\* \| (.*) \|$/gm)]
    .filter(([, , cells = '']) => cells.includes('](docs/'))
    .map(([, text = '', cells = '']) => ({
      text,
      items: [
        ...(MORE[text] ?? []),
        ...[...cells.matchAll(/\[([^\]]+)\]\(([^)#]+\.md)[^)]*\)/g)].map(([, name = '', file = '']) => ({
          text: name.replaceAll('`', ''),
          link: `/${file.replace(/README\.md$|\.md$/, '')}`,
        })),
      ],
    })),
];
