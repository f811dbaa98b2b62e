/** The folder that a profile is written to. Only its owner can read it. */
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { systemCode } from '../control/errors.ts';

export class ProfileFolderError extends Error {
  override readonly name = 'ProfileFolderError';
}

export class ProfileFolder {
  readonly path: string;

  /**
   * Creates the folder; an existing one must be empty.
   * @throws ProfileFolderError
   */
  constructor(path: string) {
    this.path = resolve(path);
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
      const [first] = readdirSync(this.path);
      if (first !== undefined) {
        throw new ProfileFolderError(
          `--output: expected a folder that is empty or does not exist, ${this.path} contains ${first}`,
        );
      }
      chmodSync(this.path, 0o700);
    } catch (error) {
      throw folderError(this.path, error);
    }
  }

  /** @throws ProfileFolderError */
  write(name: string, content: string): string {
    return this.#attempt(name, (path) => writeFileSync(path, content, { mode: 0o600, flag: 'wx' }));
  }

  /** @throws ProfileFolderError */
  makeFolder(name: string): string {
    return this.#attempt(name, (path) => mkdirSync(path, { mode: 0o700 }));
  }

  /**
   * Opens a file that grows.
   * @throws ProfileFolderError
   */
  open(name: string): GrowingFile {
    let file = -1;
    const path = this.#attempt(name, (at) => {
      file = openSync(at, 'wx', 0o600);
    });
    return {
      path,
      write: (bytes) => {
        this.#attempt(name, () => {
          for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
        });
      },
      close: () => closeSync(file),
      remove: () => unlinkSync(path),
    };
  }

  /** For a profile that has failed. */
  removeIfEmpty(): void {
    try {
      rmdirSync(this.path);
    } catch {
      // The folder is not empty.
    }
  }

  /** Others could read the files that clinic has made in it. */
  keepToOneself(path: string): void {
    chmodSync(path, 0o600);
  }

  #attempt(name: string, act: (path: string) => void): string {
    const path = join(this.path, name);
    try {
      act(path);
    } catch (error) {
      throw folderError(path, error);
    }
    return path;
  }
}

export interface GrowingFile {
  readonly path: string;
  write(bytes: Uint8Array): void;
  close(): void;
  remove(): void;
}

function folderError(path: string, error: unknown): ProfileFolderError {
  if (error instanceof ProfileFolderError) return error;
  const code = systemCode(error);
  const why =
    code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
      ? `there is no room for it (${code}); the part that fitted was written`
      : code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
        ? `this user may not write there (${code}); choose another folder with --output`
        : String(error instanceof Error ? error.message : error);
  return new ProfileFolderError(`${path}: ${why}`, { cause: error });
}
