/**
 * The server with the sample applications as `npm start` runs it, but on a free port and with enough time to
 * start on a busy machine.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { START_PATIENCE_MS } from '../server/harness.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface SampleConfig {
  readonly pools: { readonly [name: string]: { readonly application?: string; readonly module?: string } };
}

/** The project's configuration, with the changes for tests. */
function patientConfig(): string {
  const config: SampleConfig = JSON.parse(readFileSync(join(ROOT, 'runtime.config.json'), 'utf8'));
  const pools = Object.entries(config.pools).map(([name, pool]) => {
    const { application, module } = pool;
    const modules = {
      ...(application !== undefined && { application: join(ROOT, application) }),
      ...(module !== undefined && { module: join(ROOT, module) }),
    };
    return [name, { ...pool, ...modules, startTimeoutMs: START_PATIENCE_MS }];
  });
  return JSON.stringify({ ...config, pools: Object.fromEntries(pools) });
}

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
    const directory = mkdtempSync(join(tmpdir(), 'sluice-sample-'));
    const file = join(directory, 'runtime.config.json');
    writeFileSync(file, patientConfig());
    const words = ['runtime/cli.ts', 'start', '--config', file, '--address', '127.0.0.1:0'];
    const child = spawn(process.execPath, words, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    child.once('exit', () => rmSync(directory, { recursive: true }));
    const seen: string[] = [];
    const lines = createInterface({ input: child.stdout });
    for await (const line of lines) {
      seen.push(line);
      const { address } = JSON.parse(line) as { address?: string };
      if (address === undefined) continue;
      // Leaving the loop closed the reader. Later output is discarded so that it does not fill the pipe.
      child.stdout.resume();
      return new SampleServer(child, address);
    }
    throw new Error(`the server ended before it listened:\n${seen.join('\n')}`);
  }

  /** Tells the server to drain and resolves with its exit code. */
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
