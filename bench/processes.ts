/**
 * Every process that the benchmark starts. None may outlive it.
 *
 * Each child leads a process group of its own, so that a cluster's workers and npm's children are counted and
 * killed with it. The groups are killed when this process exits, for whatever reason. A terminal's Ctrl-C
 * does not reach them, so the signal handlers only have to exit.
 */
import { type ChildProcess, spawn } from 'node:child_process';

/** How much of a child's output is kept to explain a failure. */
const KEPT_OUTPUT_CHARACTERS = 4_000;

const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) killGroup(child);
});
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
process.on('SIGHUP', () => process.exit(129));

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Called with each piece of standard output as it arrives. */
  readonly onOutput?: (text: string) => void;
}

/** A child process; keeps the end of its output. */
export class Program {
  readonly name: string;
  readonly child: ChildProcess;
  /** The last part of stdout and stderr together. */
  output = '';
  /** Resolves when the process is gone: its exit code, or -1 after a signal. */
  readonly exited: Promise<number>;
  #hasExited = false;

  constructor(name: string, command: string, args: readonly string[], options: StartOptions = {}) {
    this.name = name;
    this.child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    running.add(this.child);
    const keep = (text: string): void => {
      this.output = (this.output + text).slice(-KEPT_OUTPUT_CHARACTERS);
    };
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      keep(text);
      options.onOutput?.(text);
    });
    this.child.stderr?.setEncoding('utf8').on('data', keep);
    this.exited = new Promise((resolve) => {
      this.child.once('error', (error) => {
        keep(String(error));
        this.#hasExited = true;
        resolve(-1);
      });
      this.child.once('close', (code) => {
        this.#hasExited = true;
        resolve(code ?? -1);
      });
    });
  }

  /** The process id, which is also the id of the process group. */
  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** Throws, with the last output, if the process has ended although it was not told to. */
  assertAlive(): void {
    if (this.#hasExited) {
      throw new Error(
        `${this.name} ended during its measurement (exit ${this.child.exitCode}, ${this.child.signalCode}):\n${this.output}`,
      );
    }
  }

  /** Ends the whole group at once. A measured process has nothing to save. */
  async stop(): Promise<void> {
    killGroup(this.child);
    await this.exited;
    running.delete(this.child);
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // ESRCH: the group is already gone.
  }
}

/** Runs a program to its end and returns its standard output; throws if it fails or takes too long. */
export async function runProgram(
  name: string,
  command: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<string> {
  let output = '';
  const program = new Program(name, command, args, { onOutput: (text) => (output += text) });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(program.child);
  }, timeoutMs);
  const code = await program.exited;
  clearTimeout(timer);
  await program.stop();
  if (timedOut) throw new Error(`${name} was not done after ${timeoutMs} ms:\n${program.output}`);
  if (code !== 0) throw new Error(`${name} failed with ${code}:\n${program.output}`);
  return output;
}
