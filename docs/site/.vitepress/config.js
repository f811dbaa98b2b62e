/** The site: navigation as README's map has it. Dead links end the build. */
import { defineConfig } from 'vitepress';
import { sidebar } from '../sidebar.ts';

export default defineConfig({
  title: 'Sluice',
  description: 'An application server for Node.js that runs CPU-heavy web applications on every core',
  srcDir: 'content',
  outDir: 'dist',
  cleanUrls: true,
  rewrites: (page) => page.replace(/(^|\/)README\.md$/, '$1index.md'),
  markdown: { config: breakInlineCode },
  vite: { esbuild: { tsconfigRaw: {} } },
  head: [
    [
      'link',
      {
        rel: 'icon',
        href: "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='7' fill='%230b5c8f'/><path d='M9 5v22M23 5v22' stroke='%23fff' stroke-width='3'/><path d='M9 12h14' stroke='%237cc4f2' stroke-width='5'/></svg>",
      },
    ],
  ],
  themeConfig: { search: { provider: 'local' }, sidebar, outline: [2, 3], socialLinks: [] },
});

/** Paths, lists of values and long names may break after a slash, a comma or a point, which browsers do not do by themselves. */
function breakInlineCode(md) {
  const plain = md.renderer.rules.code_inline;
  md.renderer.rules.code_inline = (...rest) =>
    plain(...rest).replace(/>([^<]+)</g, (_, text) => {
      const ends = text.length > 24 ? /[/,.](?=[^/,.\s])/g : /[/,](?=[^/,\s])/g;
      return `>${text.replace(ends, '$&<wbr>')}<`;
    });
}
