/** Checks of topics against rings and against each other. */
import * as v from 'valibot';
import { maxPayloadBytes } from '../../wire/actors/bounds.ts';
import { conflict, isReported, smallestRing } from './checking.ts';
import type { TopicsConfig } from './config.ts';
import type { ConfigProblem } from './errors.ts';
import { memberOf } from './member-of.ts';
import type { ConfigOutput } from './schema.ts';
import { topicsSchema } from './topics-schema.ts';

/** Every ring must fit the largest message, and every buffer at least one. */
export function checkTopics(topics: unknown, pools: unknown, problems: ConfigProblem[]): void {
  const where = '$.topics.maxMessageBytes';
  const most = memberOf(topics, 'maxMessageBytes');
  if (typeof most !== 'number' || isReported(where, problems)) return;
  for (const name of ['threadBytes', 'subscriptionBytes', 'publishBytes']) {
    const room = memberOf(topics, name);
    if (typeof room !== 'number' || most <= room) continue;
    if (isReported(`$.topics.${name}`, problems)) continue;
    problems.push(conflict(where, `at most ${name} (${room})`, most));
    return;
  }
  const ring = smallestRing(pools);
  if (ring === null || most <= maxPayloadBytes(ring.bytes)) return;
  problems.push({
    ...conflict(where, `at most ${maxPayloadBytes(ring.bytes)}, so that half a ring holds a message`, most),
    hint: `or raise ${ring.where} (${ring.bytes})`,
  });
}

/** Null if no thread needs a channel. Actors imply topics, with default limits that the rings bound. */
export function assembleTopics({ topics, actors, pools }: ConfigOutput): TopicsConfig | null {
  if (topics !== undefined) return topics;
  if (Object.keys(actors).length === 0) return null;
  const defaults = v.parse(topicsSchema, {});
  const ringBytes = smallestRing(pools)?.bytes ?? Number.POSITIVE_INFINITY;
  return { ...defaults, maxMessageBytes: Math.min(defaults.maxMessageBytes, maxPayloadBytes(ringBytes)) };
}
