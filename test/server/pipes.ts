/** Named pipes: whoever opens one to read waits until somebody writes, and then for what is written. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scope } from './harness.ts';

export interface Pipe {
  readonly path: string;
  /** Resolves when somebody has opened it to read, who then waits for what is never written. */
  opened(): Promise<void>;
  /** Lets whoever reads come to the end. */
  close(): Promise<void>;
}

export function makePipe(scope: Scope): Pipe {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-pipe-'));
  const path = join(directory, 'pipe');
  execFileSync('mkfifo', [path]);
  let writer: FileHandle | null = null;
  const close = async () => {
    await writer?.close();
    writer = null;
  };
  scope.teardown(async () => {
    await close();
    rmSync(directory, { recursive: true });
  });
  return {
    path,
    opened: async () => {
      writer = await open(path, 'w');
    },
    close,
  };
}
