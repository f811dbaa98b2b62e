/**
 * The documentation site, from the pages as they are: `npm run docs` serves it, `npm run docs:build` writes it to docs/site/dist.
 * Both need `npm ci --prefix docs/site` once.
 *
 * The pages are copied into docs/site/content, in the project's own folders, so that their links hold. The reference of the
 * interfaces is made from the declarations that the project's own compiler emits: TypeDoc reads those with the last compiler
 * that has the interface it needs.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyPages, siteFolder } from './pages.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const content = join(siteFolder, 'content');
const types = join(siteFolder, 'types');
const [command = 'build'] = process.argv.slice(2);

if (!existsSync(join(siteFolder, 'node_modules/vitepress'))) {
  console.error('docs: expected the packages of docs/site, found none; run npm ci --prefix docs/site');
  process.exit(1);
}
rmSync(content, { recursive: true, force: true });
rmSync(types, { recursive: true, force: true });
copyPages(content);
makeReference();
const vitepress = spawn(
  process.execPath,
  [join(siteFolder, 'node_modules/vitepress/bin/vitepress.js'), command, siteFolder],
  { stdio: 'inherit' },
);
vitepress.once('exit', (code) => {
  process.exitCode = code ?? 1;
});

/** One page for each module that package.json exports. */
function makeReference(): void {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--outDir', types, '--emitDeclarationOnly', '--declaration', '--noEmit', 'false'];
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), ...options], {
    stdio: 'inherit',
  });
  const typedoc = join(siteFolder, 'node_modules/typedoc/bin/typedoc');
  execFileSync(process.execPath, [typedoc, '--options', join(siteFolder, 'typedoc.json')], {
    cwd: siteFolder,
    stdio: 'inherit',
  });
  nameModules(join(content, 'reference'));
}

/** TypeDoc names modules by their files; readers import them by what package.json exports. */
function nameModules(folder: string): void {
  const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
  };
  for (const file of globSync('**/*.md', { cwd: folder })) {
    let text = readFileSync(join(folder, file), 'utf8');
    for (const [path, entry] of Object.entries(exports)) {
      if (typeof entry === 'string') continue;
      const module = entry.types.replace(/^\.\/dist\/|\.d\.ts$/g, '');
      text = text
        .replaceAll(`[${module}]`, `[${path.replace('.', name)}]`)
        .replaceAll(`# ${module}\n`, `# ${path.replace('.', name)}\n`);
    }
    writeFileSync(join(folder, file), text);
  }
}
