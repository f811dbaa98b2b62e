import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import fc from 'fast-check';
import render from '../../apps/render/app.ts';
import { renderDocument } from '../../apps/render/document.ts';
import { ask } from './memory-exchange.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

async function html(source: string): Promise<string> {
  return new TextDecoder().decode((await renderDocument(source)).html);
}

async function bodyOf(source: string): Promise<string> {
  const [, body] = (await html(source)).split('<main>\n');
  return body.split('</main>')[0];
}

test('Markdown becomes a complete page titled by its first heading', async (t) => {
  const page = await html('intro\n\n# A & <b>\n\n## Then\n');
  t.regex(page, /^<!doctype html>/);
  t.true(page.includes('<title>A &amp; &lt;b&gt;</title>'));
  t.true(page.trimEnd().endsWith('</html>'));
  t.true((await html('no heading')).includes('<title>Untitled</title>'));
});

test('each heading gets a unique id that links can name', async (t) => {
  const body = await bodyOf('# Rules of hand\n\n## `code` & Größe\n\n# Rules of hand\n\n# !\n');
  t.deepEqual(
    [...body.matchAll(/ id="([^"]*)"/g)].map((match) => match[1]),
    ['rules-of-hand', 'code--größe', 'rules-of-hand-1', 'section'],
  );
});

test('a language is highlighted under any of its names', async (t) => {
  for (const name of ['ts', 'TypeScript', 'typescript title="a.ts"', 'ts{1,2}']) {
    t.true(
      (await bodyOf(`\`\`\`${name}\nconst x = 1;\n\`\`\``)).includes('class="hljs-keyword">const'),
      name,
    );
  }
});

test('code in an unknown language is shown unchanged, whatever the language is called', async (t) => {
  for (const name of ['befunge', '../../../etc/passwd', '__proto__', '"><script>']) {
    const body = await bodyOf(`\`\`\`${name}\na < b && "c"\n\`\`\``);
    t.true(body.includes('a &lt; b &amp;&amp; &quot;c&quot;'), name);
    t.false(body.includes('hljs'));
  }
});

test('a page does not depend on what was rendered before it', async (t) => {
  const documents = ['shell', 'html', 'md', 'yaml', 'dockerfile', 'js'].map(
    (name) =>
      `\`\`\`${name}\n$ for x in y; do <style>a { b: c }</style> RUN if true; css\`a { b: c }\`\n---\nputs 1\n\`\`\``,
  );
  const before = [];
  for (const one of documents) before.push(await bodyOf(one));
  const every = '```ts\n```\n```ruby\n```\n```bash\n```\n```css\n```\n```graphql\n```\n```sql\n```';
  await bodyOf(every);
  for (const [i, one] of documents.entries()) t.is(await bodyOf(one), before[i]);
});

test('a block that is too long to highlight is still shown', async (t) => {
  const body = await bodyOf(`\`\`\`js\n${'let a;'.repeat(20_000)}\n\`\`\``);
  t.false(body.includes('hljs-keyword'));
  t.true(body.includes('let a;let a;'));
});

const ATTACKS = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](java&#x09;script:alert(1))',
  '[x](&#106;avascript:alert(1))',
  '[x](\\u006aavascript:alert(1))',
  '[x](<java\tscript:alert(1)>)',
  '[x](\u200bjavascript:alert(1))',
  '[x](vbscript:x)',
  '[x](data:text/html;base64,PHNjcmlwdD4=)',
  '![x](data:image/svg+xml;base64,PHN2Zz4=)',
  '[x](file:///etc/passwd)',
  '<javascript:alert(1)>',
  '[x]: javascript:alert(1)\n\n[x]',
  '![x](javascript:alert(1))',
  '[x](http://a/"onmouseover="alert(1))',
  '![a"onerror="alert(1)](http://a/)',
  '```"onclick="alert(1)\nx\n```',
  '```html\n<script>alert(1)</script>\n```',
  '```js\n</code></pre><script>alert(1)</script>\n```',
  '# <script>alert(1)</script>',
  '</main></body><script>alert(1)</script>',
];

/** Every tag and attribute that a rendered document may have, with nothing else between `<` and `>`. */
const HARMLESS_TAG =
  /^<(?:\/?(?:h[1-6]|p|em|strong|s|code|pre|span|a|img|ul|ol|li|blockquote|table|thead|tbody|tr|th|td|br|hr)(?: (?:class|id|alt|title|start)="[^"<>]*"| (?:href|src)="(?:https?:|mailto:|tel:|data:image\/(?:png|jpeg|gif|webp|avif);base64,|(?![^"/?#]*:))[^"<>]*"| style="text-align:(?:left|right|center)")*)>$/;

function isHarmless(body: string): boolean {
  return (body.match(/<[^>]*>?/g) ?? []).every((tag) => HARMLESS_TAG.test(tag));
}

for (const attack of ATTACKS) {
  test(`nothing runs in a page made from ${JSON.stringify(attack)}`, async (t) => {
    const body = await bodyOf(attack);
    t.true(isHarmless(body), body);
    const page = await renderDocument(attack);
    t.regex(page.fields['content-security-policy'], /script-src 'none'/);
  });
}

test('any mixture of markup and attacks renders to harmless tags only', async (t) => {
  const part = fc.oneof(
    fc.constantFrom(
      ...ATTACKS,
      '\n',
      '\n\n',
      '`',
      '```',
      '[',
      '](',
      ')',
      '<',
      '>',
      '"',
      "'",
      '&',
      '*',
      '_',
      '|',
      '- ',
      '> ',
    ),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
      const body = await bodyOf(parts.join(''));
      t.true(isHarmless(body), body);
    }),
    { numRuns: 300 },
  );
});

test("links that show or send stay links, and the document's own stay relative", async (t) => {
  const body = await bodyOf(
    '[a](https://example.org/?a=1&b=2) [b](mailto:x@example.org) [c](docs/sgi.md#x) [d](#e) <https://example.org>',
  );
  for (const href of ['https://example.org/?a=1&amp;b=2', 'mailto:x@example.org', 'docs/sgi.md#x', '#e']) {
    t.true(body.includes(`href="${href}"`), href);
  }
});

for (const path of globSync(['*.md', 'docs/**/*.md', 'wire/**/*.md', 'bench/**/*.md', 'apps/**/*.md'], {
  cwd: ROOT,
  // Packages of other servers may be installed in bench/others, and of the site in docs/site.
  exclude: ['**/node_modules/**', 'docs/site/**'],
})) {
  test(`the project’s own ${path} renders, and its links to its own headings work`, async (t) => {
    const body = await bodyOf(readFileSync(`${ROOT}${path}`, 'utf8'));
    t.true(isHarmless(body));
    const ids = new Set([...body.matchAll(/ id="([^"]*)"/g)].map((match) => match[1]));
    for (const [, target] of body.matchAll(/href="#([^"]*)"/g))
      t.true(ids.has(decodeURIComponent(target)), target);
  });
}

test('POST /render returns the page, and GET /render?sample a built-in document', async (t) => {
  const posted = await ask(render, {
    method: 'POST',
    path: '/render',
    fields: { 'content-type': 'text/markdown; charset=utf-8' },
    body: '# Hi',
  });
  t.is(posted.status, 200);
  t.is(posted.fields.get('content-type'), 'text/html; charset=utf-8');
  t.true(posted.text.includes('<h1 id="hi">Hi</h1>'));
  const sample = await ask(render, { path: '/render?sample' });
  t.is(sample.status, 200);
  t.true(sample.text.includes('hljs-keyword'));
});

test('a document may have up to 1 MiB', async (t) => {
  const post = (bytes: number) =>
    ask(render, { method: 'POST', path: '/render', body: [new Uint8Array(bytes).fill(0x0a)] });
  t.is((await post(1024 * 1024)).status, 200);
  t.is((await post(1024 * 1024 + 1)).status, 413);
});

test('anything but text is refused', async (t) => {
  const wrongType = await ask(render, {
    method: 'POST',
    path: '/render',
    fields: { 'content-type': 'image/png' },
    body: 'x',
  });
  t.is(wrongType.status, 415);
  const notUtf8 = await ask(render, { method: 'POST', path: '/render', body: [Buffer.of(0xc3, 0x28)] });
  t.is(notUtf8.status, 400);
});
