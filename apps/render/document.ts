/**
 * Renders a Markdown document as a complete HTML page.
 *
 * The document is not trusted. Raw HTML in it is shown and not used, and links may only use schemes that run
 * nothing in a browser. The page is sent with a policy that forbids scripts, in case either of these has a
 * hole.
 */
import MarkdownIt from 'markdown-it';
import { makeDocument, type Page } from '../site/page.ts';
import { highlight, loadLanguages } from './highlighting.ts';

type Tokens = ReturnType<typeof markdown.parse>;

const markdown = new MarkdownIt({ html: false, linkify: true, highlight });
markdown.validateLink = isHarmlessLink;

/** Schemes that show or send, and never run. A link without a scheme is relative and stays on this origin. */
const LINK_SCHEMES: ReadonlySet<string> = new Set(['http', 'https', 'mailto', 'tel']);
const DATA_IMAGE = /^data:image\/(?:png|jpeg|gif|webp|avif);base64,[a-z0-9+/=]*$/i;

/**
 * Characters that browsers drop from a URL before they look at its scheme: they read `java\tscript:` as
 * `javascript:`.
 */
const IGNORED_IN_URL = /[\p{C}\p{Z}]/gu;

function isHarmlessLink(url: string): boolean {
  const bare = url.replace(IGNORED_IN_URL, '');
  const scheme = /^([^/?#:]*):/.exec(bare);
  if (scheme === null) return true;
  return LINK_SCHEMES.has(scheme[1].toLowerCase()) || DATA_IMAGE.test(bare);
}

export async function renderDocument(source: string): Promise<Page> {
  const env = {};
  const tokens = markdown.parse(source, env);
  await loadLanguages(tokens.filter((token) => token.type === 'fence').map((token) => token.info));
  const title = nameHeadings(tokens);
  const body = markdown.renderer.render(tokens, markdown.options, env);
  return makeDocument(title, `<main>\n${body}</main>\n`, '', STYLE);
}

/** Gives every heading an id for links, and returns the text of the first. */
function nameHeadings(tokens: Tokens): string {
  const used = new Map<string, number>();
  let title = '';
  for (let i = 0; i + 1 < tokens.length; i++) {
    if (tokens[i].type !== 'heading_open') continue;
    const text = textOf(tokens[i + 1]);
    title ||= text;
    const slug = slugOf(text);
    const before = used.get(slug) ?? 0;
    used.set(slug, before + 1);
    tokens[i].attrSet('id', before === 0 ? slug : `${slug}-${before}`);
  }
  return title || 'Untitled';
}

function textOf(inline: Tokens[number]): string {
  return (inline.children ?? [])
    .filter((token) => token.type === 'text' || token.type === 'code_inline')
    .map((token) => token.content)
    .join('')
    .trim();
}

function slugOf(text: string): string {
  const slug = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
  return slug || 'section';
}

const STYLE = `
main { max-width: 46rem; margin: 0 auto }
h1, h2 { border-bottom: 1px solid var(--line); padding-bottom: .2em }
img { max-width: 100% }
table { border-collapse: collapse; display: block; overflow: auto; margin: 1rem 0 }
th, td { border: 1px solid var(--line); padding: .35rem .7rem; text-align: left }
blockquote { margin: 1rem 0; padding: 0 1rem; border-left: 3px solid var(--line); color: var(--soft) }
hr { border: 0; border-top: 1px solid var(--line); margin: 2rem 0 }
pre { white-space: pre; overflow-wrap: normal }
.hljs-comment, .hljs-quote, .hljs-meta { color: var(--soft) }
.hljs-keyword, .hljs-selector-tag, .hljs-literal, .hljs-name, .hljs-section { color: light-dark(#8a2a7f, #e49ad9) }
.hljs-string, .hljs-regexp, .hljs-addition, .hljs-symbol { color: light-dark(#1d6b35, #8fd3a1) }
.hljs-number, .hljs-attr, .hljs-attribute, .hljs-variable, .hljs-template-variable { color: light-dark(#8f4a00, #e9b573) }
.hljs-title, .hljs-built_in, .hljs-type, .hljs-selector-class, .hljs-selector-id { color: light-dark(#0b5c8f, #7cc4f2) }
.hljs-deletion { color: var(--bad) }
.hljs-emphasis { font-style: italic }
.hljs-strong { font-weight: 700 }
`;
