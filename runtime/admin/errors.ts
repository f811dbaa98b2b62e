/** What the admin endpoints refuse beyond what the control socket does. Codes are stable. */
import { closest } from '../config/closest.ts';
import { ControlRefusal } from '../control/errors.ts';

export const AdminCode = {
  UnknownPool: 'SLUICE_ADMIN_UNKNOWN_POOL',
  UnknownThread: 'SLUICE_ADMIN_UNKNOWN_THREAD',
  /** A body or a query parameter says what cannot be. */
  BadRequest: 'SLUICE_ADMIN_BAD_REQUEST',
  /** The same is being done, or the thread is not in a state for it. */
  Conflict: 'SLUICE_ADMIN_CONFLICT',
  /** The server is not running yet, or not any more. */
  NotRunning: 'SLUICE_ADMIN_NOT_RUNNING',
  /** Over TCP: no token, or a wrong one. */
  Unauthorized: 'SLUICE_ADMIN_UNAUTHORIZED',
  /** Too many wrong tokens from one address. */
  TooManyFailures: 'SLUICE_ADMIN_TOO_MANY_FAILURES',
  /** The Host or Origin of the request is not the server's own. */
  ForeignHost: 'SLUICE_ADMIN_FOREIGN_HOST',
  ForeignOrigin: 'SLUICE_ADMIN_FOREIGN_ORIGIN',
  /** There is no admin listener. */
  NoListener: 'SLUICE_ADMIN_NO_LISTENER',
} as const;

export function unknownName(
  what: 'pool' | 'thread' | 'pool or thread',
  name: string,
  known: readonly string[],
): ControlRefusal {
  const near = closest(name, known);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  const expected = known.length === 0 ? `a ${what}, of which there is none` : `one of ${known.join(', ')}`;
  const code = what === 'thread' ? AdminCode.UnknownThread : AdminCode.UnknownPool;
  return new ControlRefusal(404, code, `${what}: expected ${expected}, got ${shown(name)}${hint}`);
}

export function badRequest(where: string, expected: string, came: unknown): ControlRefusal {
  return new ControlRefusal(400, AdminCode.BadRequest, `${where}: expected ${expected}, got ${shown(came)}`);
}

export function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? 'nothing';
  return json.length > 100 ? `${json.slice(0, 99)}…` : json;
}
