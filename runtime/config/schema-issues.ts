/** Issues of the schema library as problems of the configuration. */
import type * as v from 'valibot';
import { ConfigErrorCode, type ConfigProblem, describeValue } from './errors.ts';
import { childPath } from './json-source.ts';
import { configSchema } from './schema.ts';
import { expectedAt } from './shape.ts';

/** An issue of the schema as a problem, unless the same place (or one around it) has been reported already. */
export function addIssue(
  issue: v.GenericIssue,
  around: readonly (string | number)[],
  problems: ConfigProblem[],
): void {
  const ownKeys = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
  const keys = [...around, ...ownKeys];
  // Of several alternatives, the one that fits the value's type describes the problem.
  const within = issue.issues?.filter(({ path }) => path !== undefined && path.length > 0) ?? [];
  if (within.length > 0) {
    for (const inner of within) addIssue(inner, keys, problems);
    return;
  }
  const where = keys.reduce<string>(childPath, '$');
  const parents = keys.map((_, count) => keys.slice(0, count).reduce<string>(childPath, '$'));
  const reported = (path: string) => problems.some((problem) => problem.where === path);
  if (reported(where)) return;
  if (parents.some((path) => problems.some((problem) => problem.where === path && isWrongType(problem))))
    return;
  // checkShape reports unknown keys, because it finds all of them.
  if (issue.expected === 'never') return;
  const missing =
    issue.kind === 'schema' && issue.path?.at(-1)?.origin === 'key' && issue.input === undefined;
  if (missing) {
    const code = ConfigErrorCode.MissingKey;
    problems.push({ code, where, expected: expectedAt(configSchema, keys), received: 'nothing' });
    return;
  }
  const code =
    issue.kind === 'schema' && issue.type !== 'picklist'
      ? ConfigErrorCode.WrongType
      : ConfigErrorCode.WrongValue;
  problems.push({ code, where, expected: issue.message, received: describeValue(issue.input) });
}

function isWrongType(problem: ConfigProblem): boolean {
  return problem.code === ConfigErrorCode.WrongType;
}
