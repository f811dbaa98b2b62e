/** The definitions of actors that a test gives, checked like a configuration. */
import * as v from 'valibot';
import { actorsSection } from '../config/actor-schema.ts';
import { type ConfigProblem, describeProblem } from '../config/errors.ts';
import { addIssue } from '../config/schema-issues.ts';
import { checkShape } from '../config/shape.ts';

const DEFAULT_CONCURRENCY = 16;
const HERE = '$.actors.';

/** @throws TypeError that lists every mistake */
export function settingsOf(definitions: unknown) {
  if (!isPlain(definitions)) {
    throw new TypeError(
      `expected an object of actors by name, { counter: Counter }, got ${describe(definitions)}`,
    );
  }
  const input = Object.fromEntries(Object.entries(definitions).map((entry) => [entry[0], inputOf(...entry)]));
  const problems: ConfigProblem[] = [];
  checkShape(actorsSection, input, '$.actors', problems);
  const parsed = v.safeParse(actorsSection, input);
  for (const issue of parsed.issues ?? []) addIssue(issue, ['actors'], problems);
  if (!parsed.success || problems.length > 0) {
    throw new TypeError(problems.map((problem) => describeProblem(problem).replace(HERE, '')).join('\n'));
  }
  return Object.entries(parsed.output).map(([name, { concurrency, export: exported = '', ...settings }]) => ({
    ...settings,
    name,
    export: exported,
    concurrency: settings.kind === 'pool' ? (concurrency ?? DEFAULT_CONCURRENCY) : 1,
  }));
}

function inputOf(name: string, definition: unknown): object {
  const given =
    typeof definition === 'function'
      ? { class: definition, kind: definition.length >= 2 ? 'keyed' : 'single' }
      : definition;
  const isFunctions = isPlain(given) && typeof given.functions === 'object' && given.functions !== null;
  if (!isPlain(given) || !(typeof given.class === 'function' || isFunctions)) {
    throw new TypeError(
      `${name}: expected a class, { class, kind } or { functions, kind }, got ${describe(definition)}`,
    );
  }
  const { class: _class, functions: _functions, ...settings } = given;
  return { ...settings, pool: name, ...(isFunctions ? {} : { export: 'Actor' }) };
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (Object.prototype.toString.call(value) === '[object Module]') {
    return "a module: its functions are { functions: module, kind: 'pool' }";
  }
  if (!isPlain(value)) return Array.isArray(value) ? 'an array' : String(value);
  const { name } = value.constructor ?? {};
  if (name !== undefined && name !== 'Object') return `an instance of ${name}`;
  return `an object with ${Object.keys(value).join(', ') || 'nothing'}`;
}
