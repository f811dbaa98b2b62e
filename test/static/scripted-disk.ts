/** A disk in memory whose files change, and whose calls fail, when a test says so. */
import type { Disk, DiskFile, FileStats } from '../../workers/static/disk.ts';

export interface ScriptedFile {
  bytes: Buffer;
  mtimeMs: number;
  kind?: 'file' | 'directory' | 'special';
}

type Operation = 'realpath' | 'stat' | 'open' | 'read' | 'fstat' | 'close';

export class ScriptedDisk implements Disk {
  readonly platform = 'linux';
  readonly files = new Map<string, ScriptedFile>();
  /** Called before each operation; if it throws, the operation fails with that error. */
  before: (operation: Operation, path: string) => void = () => undefined;
  openFiles = 0;
  /** The largest number of bytes requested by one read. */
  largestRead = 0;

  constructor(files: { readonly [path: string]: string | Buffer }) {
    for (const [path, content] of Object.entries(files)) this.put(path, content);
  }

  put(path: string, content: string | Buffer, mtimeMs = 1_000_000): void {
    this.files.set(path, { bytes: Buffer.from(content as string), mtimeMs });
  }

  realpath(path: string): string {
    this.before('realpath', path);
    return path;
  }

  stat(path: string): FileStats | null {
    this.before('stat', path);
    const file = this.files.get(path);
    return file === undefined ? null : statsOf(file);
  }

  open(path: string): DiskFile {
    return this.openResolved(path);
  }

  openResolved(path: string): DiskFile {
    this.before('open', path);
    const file = this.#get(path);
    this.openFiles++;
    return {
      stat: () => {
        this.before('fstat', path);
        return statsOf(file);
      },
      read: (buffer, offset, length, position) => {
        this.before('read', path);
        this.largestRead = Math.max(this.largestRead, length);
        const bytes = file.bytes.subarray(position, position + length);
        buffer.set(bytes, offset);
        return bytes.length;
      },
      close: () => {
        this.openFiles--;
        this.before('close', path);
      },
    };
  }

  #get(path: string): ScriptedFile {
    const file = this.files.get(path);
    if (file === undefined) throw systemError('ENOENT');
    return file;
  }
}

function statsOf({ bytes, mtimeMs, kind = 'file' }: ScriptedFile): FileStats {
  const ns = BigInt(mtimeMs) * 1_000_000n;
  return {
    size: BigInt(bytes.length),
    mtimeNs: ns,
    ctimeNs: ns,
    isFile: () => kind === 'file',
    isDirectory: () => kind === 'directory',
  };
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as scripted`), { code });
}
