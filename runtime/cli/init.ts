/** `sluice init`: writes a project into a folder. The folder may have a package.json, but none of the files that are written. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { closest } from '../config/closest.ts';
import { type Answer, failed } from './ask-servers.ts';
import { ExitCode } from './exit-code.ts';
import { type AppKind, appKinds, filesOf, type Project } from './init-templates.ts';

const usage = `usage: sluice init [folder] [--kind ${appKinds.join('|')}] [--javascript]`;

const help = `${usage}

Writes an application, a test for it, a runtime.config.json and what package.json lacks. Nothing that is there is overwritten.

Examples:
  sluice init                     A project in this folder.
  sluice init api --kind fetch    A Fetch application in the folder api.

Flags:
  --kind KIND   native: an async function of an exchange, with all of HTTP/2 (default). fetch: an object with a fetch method.
                node: a function of request and response, as for node:http. Express and the like need none of these: name your own
                module in runtime.config.json.
  --javascript  JavaScript. Default: TypeScript, which runs as it is.
`;

/** The script that `npm init` writes. */
const NPM_TEST = 'echo "Error: no test specified" && exit 1';

const scripts = {
  start: 'sluice start',
  dev: 'sluice start --watch',
  check: 'sluice check',
  test: 'node --test',
};

class InitError extends Error {}

/** @param words that follow `init` */
export function init(words: readonly string[], directory: string): Answer {
  try {
    const asked = read(words);
    return { exitCode: ExitCode.Ok, text: asked === null ? help : write(asked, directory) };
  } catch (error) {
    if (!(error instanceof InitError)) throw error;
    return failed(error.message, ExitCode.ConfigWrong);
  }
}

interface Asked {
  readonly folder: string;
  readonly kind: AppKind;
  readonly language: Project['language'];
}

/** Null if the user asks for help. */
function read(words: readonly string[]): Asked | null {
  const options = {
    kind: { type: 'string', default: 'native' },
    javascript: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  let parsed: ReturnType<typeof parse>;
  const parse = () => parseArgs({ args: [...words], options, allowPositionals: true });
  try {
    parsed = parse();
  } catch (error) {
    throw new InitError(`init: ${(error as Error).message}\n${usage}`);
  }
  const { values, positionals } = parsed;
  if (values.help) return null;
  const [folder = '.', ...others] = positionals;
  if (others.length > 0)
    throw new InitError(`init: expected one folder, got ${positionals.join(' ')}\n${usage}`);
  const kind = appKinds.find((each) => each === values.kind);
  if (kind === undefined) {
    const near = closest(values.kind, appKinds);
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    throw new InitError(`init: expected one of ${appKinds.join(', ')} for --kind, got ${values.kind}${hint}`);
  }
  return { folder, kind, language: values.javascript ? 'javascript' : 'typescript' };
}

function write({ folder, kind, language }: Asked, directory: string): string {
  const target = resolve(directory, folder);
  const manifest = readManifest(join(target, 'package.json'));
  const letter = manifest === null || manifest.type === 'module' ? '' : 'm';
  const extension = `.${letter}${language === 'typescript' ? 'ts' : 'js'}`;
  const files = filesOf({ kind, language, extension });
  const there = Object.keys(files).filter((name) => existsSync(join(target, name)));
  if (there.length > 0) {
    throw new InitError(
      `init: expected none of ${Object.keys(files).join(', ')} in ${target}, found ${there.join(', ')}; nothing was written: take another folder, or move them away`,
    );
  }
  mkdirSync(target, { recursive: true });
  // Fails if the file has been created meanwhile.
  for (const [name, text] of Object.entries(files)) writeFileSync(join(target, name), text, { flag: 'wx' });
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(completed(manifest, target), null, 2)}\n`);
  const way = relative(directory, target);
  const written = [...Object.keys(files), 'package.json'].map((name) => `  ${join(way, name)}\n`).join('');
  const enter = way === '' ? '' : `  cd ${way}\n`;
  const install = isInstalled(target)
    ? ''
    : '  npm install sluice     # it is not installed here; until it is on npm, the tarball that you have built\n';
  const types =
    language === 'typescript'
      ? '  npm install --save-dev typescript @types/node    # for editors and npx tsc; running needs neither\n'
      : '';
  return `written:\n${written}next:\n${enter}${install}  npm run dev            # on http://127.0.0.1:8080; reloads at each change\n  npm test\n${types}`;
}

interface Manifest {
  readonly type?: unknown;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** Null if there is none. */
function readManifest(file: string): Manifest | null {
  if (!existsSync(file)) return null;
  try {
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof manifest === 'object' && manifest !== null && !Array.isArray(manifest)) return manifest;
  } catch {
    // Reported below, as for a file that is not an object.
  }
  throw new InitError(`init: expected an object in JSON in ${file}, got something else; nothing was written`);
}

/** Keeps the existing content, adds what is missing, and replaces npm's test script that always fails. */
function completed(manifest: Manifest | null, folder: string): object {
  const own = manifest ?? { name: packageName(folder), private: true, type: 'module' };
  const { scripts: ownScripts = {} } = own as Manifest;
  const { test, ...others } = ownScripts;
  const kept = test === undefined || test === NPM_TEST ? others : ownScripts;
  return { ...own, scripts: { ...scripts, ...kept } };
}

/** Whether modules of this folder can import it. */
function isInstalled(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, 'node_modules/sluice'))) return true;
    if (dirname(at) === at) return false;
  }
}

/** As npm accepts it. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'app' : name;
}
