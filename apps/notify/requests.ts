/** Reads the fields of requests to the push service (RFC 8030 sections 5 and 6). */
import type { Fields } from '../../workers/gateway.ts';
import { Refusal } from '../site/routing.ts';
import { MAX_TTL_S } from './limits.ts';

/** Section 5.3, from the lowest to the highest. */
const URGENCIES = ['very-low', 'low', 'normal', 'high'];
/** Section 5.4: at most 32 characters of the URL-safe base64 alphabet. */
const TOPIC = /^[\w-]{1,32}$/;

/** In seconds; section 5.2 requires it. */
export function ttlOf(fields: Fields): number {
  const value = fields.get('ttl');
  if (value === undefined)
    throw new Refusal(
      400,
      'A push message needs a TTL field: for how many seconds to keep it, or 0 for not at all.',
    );
  if (!/^\d{1,15}$/.test(value)) throw new Refusal(400, `TTL: expected a number of seconds, got '${value}'.`);
  return Math.min(Number(value), MAX_TTL_S);
}

/** 0 very-low to 3 high. */
export function urgencyOf(fields: Fields, byDefault: string): number {
  const value = fields.get('urgency') ?? byDefault;
  const urgency = URGENCIES.indexOf(value);
  if (urgency === -1) throw new Refusal(400, `Urgency: expected ${URGENCIES.join(', ')}, got '${value}'.`);
  return urgency;
}

export function topicOf(fields: Fields): string | null {
  const value = fields.get('topic');
  if (value === undefined) return null;
  if (!TOPIC.test(value))
    throw new Refusal(
      400,
      'Topic: expected 1 to 32 characters of the URL-safe base64 alphabet (RFC 8030 section 5.4).',
    );
  return value;
}

/** A preference of RFC 7240, such as `respond-async` or `wait=0`. */
export function prefers(fields: Fields, preference: string): boolean {
  return fields.list('prefer').some((each) => each.replaceAll(/[\s"]/g, '').toLowerCase() === preference);
}

/** The target of a Link (RFC 8288) with this relation, or null. */
export function linkOf(fields: Fields, relation: string): string | null {
  for (const link of fields.list('link')) {
    const [, target, parameters = ''] = /^<([^>]*)>(.*)$/.exec(link) ?? [];
    if (target !== undefined && new RegExp(`;\\s*rel="?${relation}"?\\s*(?:;|$)`, 'i').test(parameters))
      return target;
  }
  return null;
}
