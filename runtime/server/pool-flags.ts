/** Finds the flags of a configuration with which Node starts no thread. */
import type { Config } from '../config/config.ts';
import { ConfigErrorCode, type ConfigProblem, describeValue } from '../config/errors.ts';
import { childPath } from '../config/json-source.ts';
import { refusedFlags } from './thread-flags.ts';

export function findRefusedFlags(config: Config): ConfigProblem[] {
  return Object.values(config.pools).flatMap((pool) => {
    const where = childPath('$.pools', pool.name);
    const { execArgv, option } = refusedFlags(pool);
    const code = ConfigErrorCode.WrongValue;
    const expected = 'a flag that Node takes for a thread';
    const hint =
      "V8's flags and those of the whole process go to node itself, or into NODE_OPTIONS of the server";
    const problems: ConfigProblem[] = execArgv.map((flag) => {
      const at = childPath(childPath(where, 'execArgv'), pool.execArgv.indexOf(flag));
      return { code, where: at, expected, received: describeValue(flag), hint };
    });
    if (option === null) return problems;
    const at = childPath(childPath(where, 'env'), 'NODE_OPTIONS');
    return [...problems, { code, where: at, expected, received: describeValue(option), hint }];
  });
}
