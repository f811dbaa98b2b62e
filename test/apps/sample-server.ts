/** The server with the sample applications, started as `npm start` starts it but on a free port. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export class SampleServer {
  readonly authority: string;
  readonly origin: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, authority: string) {
    this.#process = process;
    this.authority = authority;
    this.origin = `http://${authority}`;
  }

  static async start(): Promise<SampleServer> {
    const child = spawn(process.execPath, ['runtime/cli.ts', 'start', '--address', '127.0.0.1:0'], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const seen: string[] = [];
    const lines = createInterface({ input: child.stdout });
    for await (const line of lines) {
      seen.push(line);
      const { address } = JSON.parse(line) as { address?: string };
      if (address === undefined) continue;
      // Leaving the loop closed the reader: what is said from now on flows away and fills no pipe.
      child.stdout.resume();
      return new SampleServer(child, address);
    }
    throw new Error(`the server ended before it listened:\n${seen.join('\n')}`);
  }

  /** Asks it to drain and resolves with its exit code. */
  async stop(): Promise<number | null> {
    if (this.#process.exitCode !== null) return this.#process.exitCode;
    const exit = once(this.#process, 'exit') as Promise<[number | null]>;
    this.#process.kill('SIGTERM');
    return (await exit)[0];
  }
}

const execute = promisify(execFile);

/** Runs curl; resolves with what it wrote to stdout, byte for byte in latin1. Fails when curl does. */
export async function curl(...options: string[]): Promise<string> {
  const { stdout } = await execute('curl', ['--silent', '--show-error', '--max-time', '30', ...options], {
    encoding: 'latin1',
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}
