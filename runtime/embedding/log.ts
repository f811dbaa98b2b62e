/** The log of an embedded server: lines as objects, for whatever log the process has. */
import { Writable } from 'node:stream';
import type { LogConfig } from '../config/config.ts';
import { createLog, type Log } from '../logging/log.ts';

/** A line of the log. docs/operations.md says what each means, and what stands beside its message. */
export interface LogLine {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly msg: string;
  /** `type`, `message`, `stack` and `code` of an error. */
  readonly err?: { readonly type: string; readonly message: string; readonly stack: string };
  readonly [field: string]: unknown;
}

/** @param take is given each line of `level` or above; undefined: nobody wants any */
export function embeddedLog(config: LogConfig, take: ((line: LogLine) => void) | undefined): Log {
  const stream = new Writable({
    decodeStrings: false,
    write: (text, _encoding, done) => {
      try {
        take?.(JSON.parse(String(text)));
      } catch {
        // The log is where the server tells what has gone wrong. When it throws itself, nobody is left to tell.
      }
      done();
    },
  });
  const level = take === undefined ? 'silent' : config.level;
  return createLog({ ...config, level, format: 'json' }, { stream, isTerminal: false, colour: false });
}
