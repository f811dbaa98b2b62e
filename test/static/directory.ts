/** A directory for test servers, with files, links, and a part that must stay outside. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Scope } from '../server/harness.ts';

export interface TestDirectory {
  /** The directory that is served. */
  readonly root: string;
  /** Its sibling, of which nothing may ever be served. */
  readonly outside: string;
  write(path: string, content: string | Uint8Array): void;
  /** @param target absolute, or relative to the link */
  link(path: string, target: string): void;
  touch(path: string, date: Date): void;
}

/** Long enough ago for strong validators. */
export const MODIFIED = new Date('2024-05-06T07:08:09Z');

export function makeDirectory(scope: Scope): TestDirectory {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-static-'));
  scope.teardown(() => rmSync(directory, { recursive: true }));
  const root = join(directory, 'root');
  const outside = join(directory, 'outside');
  mkdirSync(root);
  mkdirSync(outside);
  const touch = (path: string, date: Date) => utimesSync(join(root, path), date, date);
  return {
    root,
    outside,
    write: (path, content) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
      touch(path, MODIFIED);
    },
    link: (path, target) => symlinkSync(target, join(root, path)),
    touch,
  };
}
