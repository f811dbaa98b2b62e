/** What a command may request. */
import * as v from 'valibot';
import { ControlRefusal } from '../control/errors.ts';
import { ProfileCode, type ProfileRequest, profileKinds } from './messages.ts';

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
const schema = v.strictObject({
  kind: v.picklist(profileKinds),
  pool: v.optional(name),
  thread: v.optional(name),
  durationMs: v.pipe(v.number(), v.integer(), v.minValue(1)),
});

/** @throws ControlRefusal */
export function readRequest(value: unknown, maxSeconds: number): ProfileRequest {
  const { success, output, issues } = v.safeParse(schema, value);
  if (!success) {
    const [issue] = issues;
    const where = v.getDotPath(issue) ?? 'body';
    throw wrong(
      `${where}: expected ${issue.expected ?? 'what POST /profiles accepts'}, got ${issue.received}`,
    );
  }
  if (output.durationMs > maxSeconds * 1_000) {
    throw wrong(
      `expected at most ${maxSeconds} seconds (profiling.maxSeconds), got ${output.durationMs / 1_000}`,
    );
  }
  return output;
}

function wrong(message: string): ControlRefusal {
  return new ControlRefusal(400, ProfileCode.WrongRequest, message);
}
