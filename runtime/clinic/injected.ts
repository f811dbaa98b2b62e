/**
 * Removes what clinic 13.0.0 and 0x put into the arguments of the process that they start.
 *
 * Each tool loads its collectors by `-r`: flame in Node's own arguments, the others in NODE_OPTIONS. Node
 * passes both on to every thread. There a second collector opens the file of the first and overwrites it (its
 * name contains only the process's id), takes the thread's port for the server's, or ends the thread instead
 * of the process. So threads are started without the collectors. Everything else in the arguments is the
 * user's, and reaches the threads as it would without clinic.
 */

export const clinicTools = ['doctor', 'bubbleprof', 'flame', 'heapprofiler'] as const;
export type ClinicTool = (typeof clinicTools)[number];

export function isClinicTool(word: string | undefined): word is ClinicTool {
  return clinicTools.some((tool) => tool === word);
}

/** The modules of doctor and bubbleprof are given without a path: NODE_PATH contains these folders. */
const folders: readonly (readonly [tool: ClinicTool, folder: RegExp, modules: readonly string[]])[] = [
  ['doctor', /[/\\]@clinic[/\\]doctor[/\\]injects$/, ['no-cluster.js', 'sampler.js', 'detect-port.js']],
  [
    'bubbleprof',
    /[/\\]@clinic[/\\]bubbleprof[/\\]injects$/,
    ['no-cluster.js', 'logger.js', 'detect-port.js'],
  ],
];
const paths: readonly (readonly [tool: ClinicTool, module: RegExp])[] = [
  ['flame', /[/\\]0x[/\\]lib[/\\]preload[/\\](no-cluster|redir-stdout|soft-exit|detect-port)(\.js)?$/],
  ['heapprofiler', /[/\\]@clinic[/\\]heap-profiler[/\\]src[/\\]injects[/\\]ipc\.js$/],
];
const pathDelimiter = process.platform === 'win32' ? ';' : ':';

/** How Node was started. */
export interface NodeFlags {
  /** As in `process.execArgv`. */
  readonly execArgv: readonly string[];
  readonly environment: { readonly [name: string]: string | undefined };
}

/** Null: no clinic tool has started this process. */
export function clinicToolOf({ execArgv, environment }: NodeFlags): ClinicTool | null {
  const words = [...execArgv, ...optionWords(environment.NODE_OPTIONS ?? '').map(({ text }) => text)];
  const toolOf = toolFinder(environment.NODE_PATH);
  for (const [index, word] of words.entries()) {
    const tool = word === '-r' ? toolOf(words[index + 1]) : null;
    if (tool !== null) return tool;
  }
  return null;
}

/** Node's arguments without clinic's `-r`. */
export function withoutClinic(execArgv: readonly string[], nodePath: string | undefined): string[] {
  const toolOf = toolFinder(nodePath);
  const isClinics = (index: number) => execArgv[index] === '-r' && toolOf(execArgv[index + 1]) !== null;
  return execArgv.filter((_, index) => !isClinics(index) && !isClinics(index - 1));
}

/** NODE_OPTIONS without clinic's `-r`; the rest keeps its spelling. */
export function optionsWithoutClinic(options: string, nodePath: string | undefined): string {
  const toolOf = toolFinder(nodePath);
  return optionsWithout(options, (text, value) => text === '-r' && toolOf(value) !== null);
}

/**
 * NODE_OPTIONS without some of its flags and their values; the rest keeps its spelling.
 * @param isOut called with each word and the next one
 */
export function optionsWithout(
  options: string,
  isOut: (text: string, next: string | undefined) => boolean,
): string {
  const words = optionWords(options);
  let rest = '';
  let copiedTo = 0;
  for (const [index, { text, start }] of words.entries()) {
    const next = words[index + 1];
    if (!isOut(text, next?.text)) continue;
    rest += options.slice(copiedTo, start);
    const hasValue = next !== undefined && !text.includes('=') && !next.text.startsWith('-');
    copiedTo = words[index + (hasValue ? 2 : 1)]?.start ?? options.length;
  }
  return rest + options.slice(copiedTo);
}

/** The value of a flag in NODE_OPTIONS; if it appears several times, the last one counts. */
export function optionValue(options: string, flag: string): string | undefined {
  const words = optionWords(options).map(({ text }) => text);
  let value: string | undefined;
  for (const [index, word] of words.entries()) {
    if (word === flag) value = words[index + 1];
    else if (word.startsWith(`${flag}=`)) value = word.slice(flag.length + 1);
  }
  return value;
}

function toolFinder(nodePath = ''): (module: string | undefined) => ClinicTool | null {
  const searched = nodePath.split(pathDelimiter);
  const bare = folders.filter(([, folder]) => searched.some((directory) => folder.test(directory)));
  return (module = '') => {
    const byName = bare.find(([, , modules]) => modules.includes(module));
    return (byName ?? paths.find(([, path]) => path.test(module)))?.[0] ?? null;
  };
}

interface OptionWord {
  /** The word without its quotes. */
  readonly text: string;
  readonly start: number;
}

/**
 * Splits like Node's ParseNodeOptionsEnvVar: spaces separate, double quotes group, and a backslash inside
 * them escapes.
 */
function optionWords(options: string): OptionWord[] {
  const words: OptionWord[] = [];
  let text = '';
  let start = -1;
  let isQuoted = false;
  for (let index = 0; index < options.length; index++) {
    const character = options.charAt(index);
    if (character === ' ' && !isQuoted) {
      if (start !== -1) words.push({ text, start });
      text = '';
      start = -1;
      continue;
    }
    if (start === -1) start = index;
    if (character === '"') isQuoted = !isQuoted;
    else if (character === '\\' && isQuoted) text += options.charAt(++index);
    else text += character;
  }
  if (start !== -1) words.push({ text, start });
  return words;
}
