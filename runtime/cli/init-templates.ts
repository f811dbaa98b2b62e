/** The files that `sluice init` writes: an application, its test, a configuration, and settings for editors. */

export const appKinds = ['native', 'fetch', 'node'] as const;
export type AppKind = (typeof appKinds)[number];

export interface Project {
  readonly kind: AppKind;
  readonly language: 'typescript' | 'javascript';
  /** Of modules: `.mjs` or `.mts` unless package.json makes all files ES modules. */
  readonly extension: string;
}

/** File names and contents. */
export function filesOf(project: Project): Readonly<Record<string, string>> {
  const { kind, language, extension } = project;
  return {
    [`app${extension}`]: applications[kind](language === 'typescript'),
    [`app.test${extension}`]: testOf(extension),
    'runtime.config.json': configurationOf(extension),
    ...(language === 'typescript' && { 'tsconfig.json': compilerOptions }),
  };
}

const head = `/**
 * Every thread of the pool loads this module. While one thread computes, the others answer other requests.
 */
`;

const applications: Readonly<Record<AppKind, (isTyped: boolean) => string>> = {
  native: (isTyped) => `${head}import { scryptSync } from 'node:crypto';
${isTyped ? "import type { Exchange } from 'sluice/gateway';\n" : ''}
export default async function app(exchange${isTyped ? ': Exchange' : ''})${isTyped ? ': Promise<void>' : ''} {
  const text = await exchange.body.text(1024); // at most 1 KiB, or the answer is 413
  const key = scryptSync(text, 'salt', 32).toString('hex'); // some 50 ms of work
  exchange.respond(200, { 'content-type': 'text/plain' }, \`\${key}\\n\`);
}
`,
  fetch: (isTyped) => `${head}import { scryptSync } from 'node:crypto';

export default {
  ${isTyped ? '' : '/** @param {Request} request */\n  '}async fetch(request${isTyped ? ': Request' : ''})${isTyped ? ': Promise<Response>' : ''} {
    const key = scryptSync(await request.text(), 'salt', 32).toString('hex'); // some 50 ms of work
    return new Response(\`\${key}\\n\`, { headers: { 'content-type': 'text/plain' } });
  },
};
`,
  node: (isTyped) => `${head}import { scryptSync } from 'node:crypto';
${isTyped ? "import type { IncomingMessage, ServerResponse } from 'node:http';\n" : ''}import { text } from 'node:stream/consumers';

export default async function app(request${isTyped ? ': IncomingMessage' : ''}, response${isTyped ? ': ServerResponse' : ''})${isTyped ? ': Promise<void>' : ''} {
  const key = scryptSync(await text(request), 'salt', 32).toString('hex'); // some 50 ms of work
  response.setHeader('content-type', 'text/plain');
  response.end(\`\${key}\\n\`);
}
`,
};

function testOf(extension: string): string {
  return `/** Runs with \`npm test\`: a server of its own on a free port. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { testServer } from 'sluice/testing';

test('it answers', async (t) => {
  const server = await testServer(new URL('./app${extension}', import.meta.url));
  t.after(() => server.close());
  const response = await fetch(server.origin, { method: 'POST', body: 'secret' });
  assert.equal(response.status, 200);
  assert.match(await response.text(), /^[0-9a-f]{64}\\n$/);
});
`;
}

function configurationOf(extension: string): string {
  return `{
  "$schema": "./node_modules/sluice/runtime/config/schema.json",
  "listeners": [{ "address": "127.0.0.1:8080" }],
  "pools": {
    "app": { "application": "./app${extension}" }
  },
  "routes": [{ "path": "/*", "pool": "app" }]
}
`;
}

/** Strict, and as type stripping requires. */
const compilerOptions = `{
  "compilerOptions": {
    "target": "es2024",
    "lib": ["es2024", "dom"],
    "module": "nodenext",
    "types": ["node"],
    "strict": true,
    "noEmit": true,
    "allowImportingTsExtensions": true,
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true,
    "skipLibCheck": true
  }
}
`;
