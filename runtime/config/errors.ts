/**
 * The problems of a configuration, as data. One `ConfigError` carries every problem that was found, so that a person corrects the file once
 * and not once per error.
 */

/** Stable codes; scripts may rely on them, the sentences around them may change. */
export const ConfigErrorCode = {
  /** The configuration as a whole; the code of `ConfigError` itself. */
  Invalid: 'SLUICE_CONFIG_INVALID',
  /** The file is missing or cannot be read. */
  FileUnreadable: 'SLUICE_CONFIG_FILE_UNREADABLE',
  /** The file is not JSON (RFC 8259). */
  Syntax: 'SLUICE_CONFIG_SYNTAX',
  /** An object has one key twice, and which one counts would be a guess. */
  DuplicateKey: 'SLUICE_CONFIG_DUPLICATE_KEY',
  UnknownKey: 'SLUICE_CONFIG_UNKNOWN_KEY',
  MissingKey: 'SLUICE_CONFIG_MISSING_KEY',
  /** A string where a number belongs, and the like. */
  WrongType: 'SLUICE_CONFIG_WRONG_TYPE',
  /** The right type, but outside of what is allowed. */
  WrongValue: 'SLUICE_CONFIG_WRONG_VALUE',
  /** Recognised, but not supported by this version. */
  Unsupported: 'SLUICE_CONFIG_UNSUPPORTED',
  /** Refers to a pool that does not exist. */
  UnknownPool: 'SLUICE_CONFIG_UNKNOWN_POOL',
  /** Two parts that exclude each other: two listeners on one address, min above max. */
  Conflict: 'SLUICE_CONFIG_CONFLICT',
  /** A pool's application module is missing. */
  ApplicationMissing: 'SLUICE_CONFIG_APPLICATION_MISSING',
  /** A file of a listener's TLS is missing or cannot be read. */
  TlsUnreadable: 'SLUICE_TLS_UNREADABLE',
  /** A TLS file has invalid content: it is not PEM, the passphrase does not decrypt the key, or OpenSSL refuses the settings. */
  TlsInvalid: 'SLUICE_TLS_INVALID',
  /** A private key that belongs to another certificate. */
  TlsKeyMismatch: 'SLUICE_TLS_KEY_MISMATCH',
  /** The directory of a route with files is missing. */
  RootMissing: 'SLUICE_CONFIG_ROOT_MISSING',
  /** A value that cannot change while the server runs. */
  Fixed: 'SLUICE_CONFIG_FIXED',
  UnknownCommand: 'SLUICE_CONFIG_UNKNOWN_COMMAND',
  UnknownFlag: 'SLUICE_CONFIG_UNKNOWN_FLAG',
} as const;
export type ConfigErrorCode = (typeof ConfigErrorCode)[keyof typeof ConfigErrorCode];

export interface ConfigProblem {
  readonly code: ConfigErrorCode;
  /** A JSON path into the file (`$.pools.hello.threads.min`), a flag (`--threads`) or a variable (`SLUICE_THREADS`). */
  readonly where: string;
  /** What would be valid here, without the word "expected". */
  readonly expected: string;
  /** What was found, shortened if it is long. */
  readonly received: string;
  /** What to do about it, if more can be said than `expected`. */
  readonly hint?: string;
  /** The place in the file, counted from 1. */
  readonly line?: number;
  readonly column?: number;
}

/** Every problem of one configuration. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = ConfigErrorCode.Invalid;
  /** Where the problems are: the file's path, flags and variables, or both. */
  readonly source: string;
  readonly problems: readonly ConfigProblem[];

  constructor(source: string, problems: readonly ConfigProblem[]) {
    super(describeProblems(source, problems));
    this.source = source;
    this.problems = problems;
  }
}

/** All problems as lines for a person, the code of each at the end of its line. */
export function describeProblems(source: string, problems: readonly ConfigProblem[]): string {
  const count = problems.length === 1 ? '1 error' : `${problems.length} errors`;
  const lines = problems.map((problem) => `  ${describeProblem(problem)}`);
  return `${source}: ${count}\n${lines.join('\n')}`;
}

export function describeProblem(problem: ConfigProblem): string {
  const place = problem.line === undefined ? '' : ` (line ${problem.line}, column ${problem.column})`;
  const hint = problem.hint === undefined ? '' : `; ${problem.hint}`;
  const { expected, received } = problem;
  const what =
    received === NOTHING ? `missing, expected ${expected}` : `expected ${expected}, got ${received}`;
  return `${problem.where}${place}: ${what}${hint} [${problem.code}]`;
}

/** What a problem shows if there is no value. */
export const NOTHING = 'nothing';
const SHOWN_CHARACTERS = 60;
/** Linux cannot open a longer path. */
const PATH_CHARACTERS = 4_096;

/** A value from outside as an error shows it: one line, bounded, and never the contents of an object. */
export function describeValue(value: unknown): string {
  if (value === undefined) return NOTHING;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'string' ? quote(value, SHOWN_CHARACTERS) : JSON.stringify(value);
}

/** A path is shown whole: two files of one long directory differ only at their ends. */
export function describePath(path: string): string {
  return quote(path, PATH_CHARACTERS);
}

/** Keeps both ends of a text that is too long. */
function quote(text: string, mostCharacters: number): string {
  if (text.length <= mostCharacters) return JSON.stringify(text);
  const kept = mostCharacters >> 1;
  const ends = `${text.slice(0, kept)}…${text.slice(-kept)}`;
  return `${JSON.stringify(ends)} (${text.length} characters)`;
}
