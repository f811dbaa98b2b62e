/** Why threads died, as one of a few words that can be counted: the text of an error has no bound. */
import type { ErrorReport } from '../../wire/error-report.ts';
import { WireErrorCode } from '../../wire/errors.ts';
import { ThreadEndCode } from './thread-end-error.ts';

/**
 * `load`: its application did not load, or not in time. `uncaught`: an uncaught error. `exit`: its code
 * called `process.exit`. `memory`: its heap was full. `hung`: it did not return to its event loop. `channel`:
 * what it wrote into shared memory was not valid. `retired`: another thread had replaced it, and it did not
 * finish in time.
 */
export const DEATH_CAUSES = ['load', 'uncaught', 'exit', 'memory', 'hung', 'channel', 'retired'] as const;
export type DeathCause = (typeof DEATH_CAUSES)[number];

const BY_CODE: ReadonlyMap<string, DeathCause> = new Map<string, DeathCause>([
  [ThreadEndCode.Exited, 'exit'],
  [ThreadEndCode.Hung, 'hung'],
  [ThreadEndCode.Retired, 'retired'],
  ['ERR_WORKER_OUT_OF_MEMORY', 'memory'],
  [WireErrorCode.Corrupt, 'channel'],
]);
/** Piscina reports an exit in these words, without a code. */
const EXITED = /^worker exited with code: \d+$/;

/** @param hasLoaded whether its application had loaded */
export function deathCauseOf({ code, message }: ErrorReport, hasLoaded: boolean): DeathCause {
  if (!hasLoaded) return 'load';
  return BY_CODE.get(code ?? '') ?? (EXITED.test(message) ? 'exit' : 'uncaught');
}

/** How often each cause has occurred. */
export type Deaths = Record<DeathCause, number>;

export function noDeaths(): Deaths {
  return { load: 0, uncaught: 0, exit: 0, memory: 0, hung: 0, channel: 0, retired: 0 };
}
