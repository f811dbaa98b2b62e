/** Checks of topics against rings and against each other. */
import * as v from 'valibot';
import { maxPayloadBytes } from '../../wire/actors/bounds.ts';
import type { TopicsConfig } from './config.ts';
import { ConfigErrorCode, type ConfigProblem, describeValue } from './errors.ts';
import { childPath } from './json-source.ts';
import { memberOf } from './member-of.ts';
import type { ConfigOutput } from './schema.ts';
import { topicsSchema } from './topics-schema.ts';

/** Every ring must fit the largest message, and every buffer at least one. */
export function checkTopics(topics: unknown, pools: unknown, problems: ConfigProblem[]): void {
  const where = '$.topics.maxMessageBytes';
  const most = memberOf(topics, 'maxMessageBytes');
  if (typeof most !== 'number' || problems.some((problem) => problem.where === where)) return;
  for (const name of ['threadBytes', 'subscriptionBytes', 'publishBytes']) {
    const room = memberOf(topics, name);
    if (typeof room !== 'number' || most <= room) continue;
    if (problems.some((problem) => problem.where === `$.topics.${name}`)) continue;
    problems.push(conflict(where, `at most ${name} (${room})`, most));
    return;
  }
  const [pool, ringBytes] = smallestRing(pools);
  if (most <= maxPayloadBytes(ringBytes)) return;
  problems.push({
    ...conflict(where, `at most ${maxPayloadBytes(ringBytes)}, so that half a ring holds a message`, most),
    hint: `or raise ${childPath(childPath('$.pools', pool), 'ringBytes')} (${ringBytes})`,
  });
}

/** Null if no thread needs a channel. Actors imply topics, with default limits that the rings bound. */
export function assembleTopics({ topics, actors, pools }: ConfigOutput): TopicsConfig | null {
  if (topics !== undefined) return topics;
  if (Object.keys(actors).length === 0) return null;
  const defaults = v.parse(topicsSchema, {});
  const [, ringBytes] = smallestRing(pools);
  return { ...defaults, maxMessageBytes: Math.min(defaults.maxMessageBytes, maxPayloadBytes(ringBytes)) };
}

function smallestRing(pools: unknown): [pool: string, bytes: number] {
  let smallest: [string, number] = ['', Number.POSITIVE_INFINITY];
  for (const [name, pool] of Object.entries(typeof pools === 'object' && pools !== null ? pools : {})) {
    const bytes = memberOf(pool, 'ringBytes');
    if (typeof bytes === 'number' && bytes < smallest[1]) smallest = [name, bytes];
  }
  return smallest;
}

function conflict(where: string, expected: string, value: unknown): ConfigProblem {
  return { code: ConfigErrorCode.Conflict, where, expected, received: describeValue(value) };
}
