/** The log of an embedded server: lines as objects, for the process's own log. */
import { Writable } from 'node:stream';
import type { LogConfig } from '../config/config.ts';
import { createLog, type Log } from '../logging/log.ts';

/** A log line. docs/operations.md explains each message and its fields. */
export interface LogLine {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly msg: string;
  /** `type`, `message`, `stack` and `code` of an error. */
  readonly err?: { readonly type: string; readonly message: string; readonly stack: string };
  readonly [field: string]: unknown;
}

/** @param take receives each line of `level` or above; undefined turns the log off */
export function embeddedLog(config: LogConfig, take: ((line: LogLine) => void) | undefined): Log {
  const stream = new Writable({
    decodeStrings: false,
    write: (text, _encoding, done) => {
      try {
        take?.(JSON.parse(String(text)));
      } catch {
        // Errors are reported through this function. If it throws itself, there is nowhere left to report to.
      }
      done();
    },
  });
  const level = take === undefined ? 'silent' : config.level;
  return createLog({ ...config, level, format: 'json' }, { stream, isTerminal: false, colour: false });
}
