/**
 * A machine for the commands of a page, so that they run as they are printed: Linux namespaces with a network, `/run` and `/etc` of
 * their own. A page's ports are free there, its paths can be written, and nothing reaches the outside.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { Scope } from '../../server/harness.ts';

const isRoot = process.getuid?.() === 0;
const UNSHARE = [...(isRoot ? [] : ['--user', '--map-root-user']), '--net', '--mount'];
const NSENTER = [...(isRoot ? [] : ['--user', '--preserve-credentials']), '--net', '--mount'];

/** What the namespaces are given before a command runs; `$1` is an empty folder. An address of the pages is this machine's, too. */
const SETUP = `set -e
ip link set lo up
ip address add 10.0.0.5/32 dev lo
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc
mount -t tmpfs tmpfs /run
`;

/** Why there are no such machines here, or null. */
export const missing: string | null = whyNone();

function whyNone(): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-machine-'));
  const { error, stderr } = spawnSync('unshare', [...UNSHARE, 'sh', '-c', SETUP, 'sh', folder], {
    encoding: 'utf8',
  });
  rmSync(folder, { recursive: true });
  return error?.message ?? (stderr === '' ? null : stderr);
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Machine {
  /** Empty at first. */
  readonly folder: string;
  readonly #holder: ChildProcess;
  readonly #variables: Readonly<Record<string, string>>;
  readonly #scope: Scope;

  private constructor(
    folder: string,
    holder: ChildProcess,
    scope: Scope,
    variables: Readonly<Record<string, string>>,
  ) {
    this.folder = folder;
    this.#holder = holder;
    this.#scope = scope;
    this.#variables = variables;
  }

  /** @param variables what a user's environment has beside this one's. */
  static async boot(scope: Scope, variables: Readonly<Record<string, string>> = {}): Promise<Machine> {
    const place = mkdtempSync(join(tmpdir(), 'sluice-shell-'));
    const [folder, own, runtime] = ['home', 'own', 'runtime'].map((name) => join(place, name)) as [
      string,
      string,
      string,
    ];
    for (const made of [folder, own, runtime]) mkdirSync(made);
    // It lives for as long as its input is open, which this process closes by its end at the latest.
    const holder = spawn('unshare', [...UNSHARE, 'sh', '-c', `${SETUP}echo ready\nexec cat`, 'sh', own], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    scope.teardown(async () => {
      const ended = once(holder, 'close');
      holder.stdin.end();
      await ended;
      rmSync(place, { recursive: true, force: true });
    });
    await once(holder.stdout, 'data');
    return new Machine(folder, holder, scope, {
      HOME: folder,
      XDG_RUNTIME_DIR: runtime,
      ...variables,
    });
  }

  /** A terminal in a folder, absolute or below `folder`. */
  terminal(folder = '.'): Terminal {
    const inside = folder.startsWith('/') ? folder : join(this.folder, folder);
    return new Terminal(this.#scope, (script) => this.#spawn(inside, script));
  }

  #spawn(folder: string, script: string): ChildProcess {
    const words = ['--target', String(this.#holder.pid), ...NSENTER];
    const command = ['sh', '-ec', `cd "$0"\n${script}`, folder];
    return spawn('nsenter', [...words, ...command], {
      // A group of its own, for Ctrl-C and for the end.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...environmentOfUser(),
        PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
        ...this.#variables,
      },
    });
  }
}

/**
 * This process's environment without what test runners and npm add to it: under `npm test`, npm hands its own settings down, and with them
 * the npm of a page would ask another registry than the one that its `.npmrc` names.
 */
function environmentOfUser(): NodeJS.ProcessEnv {
  const { AVA_PATH: _ava, NODE_TEST_CONTEXT: _context, NODE_OPTIONS: _options, ...rest } = process.env;
  return Object.fromEntries(Object.entries(rest).filter(([name]) => !/^npm_|^INIT_CWD$/i.test(name)));
}

/** Where somebody pastes blocks. */
export class Terminal {
  readonly #scope: Scope;
  readonly #spawn: (script: string) => ChildProcess;

  constructor(scope: Scope, spawn: (script: string) => ChildProcess) {
    this.#scope = scope;
    this.#spawn = spawn;
  }

  /** Runs a block to its end. Rejects, with what it printed, unless each of its commands succeeded. */
  async run(block: string): Promise<string> {
    const command = this.start(block);
    const { code, stdout, stderr } = await command.ended;
    if (code !== 0) throw new Error(`expected exit code 0, got ${code}:\n${block}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Starts a block that does not end by itself; ends with the test if nobody interrupts it before. */
  start(block: string): Command {
    const command = new Command(block, this.#spawn(block));
    this.#scope.teardown(() => command.kill());
    return command;
  }
}

export class Command {
  readonly ended: Promise<Ended>;
  readonly #block: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  #stdout = '';
  #stderr = '';
  #hasEnded = false;

  constructor(block: string, child: ChildProcess) {
    this.#block = block;
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
      for (const look of this.#waiting) look();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
      for (const look of this.#waiting) look();
    });
    this.ended = once(child, 'close').then(([code]) => {
      this.#hasEnded = true;
      return { code, stdout: this.#stdout, stderr: this.#stderr };
    });
  }

  /** Waits until it has printed this. Rejects if it ends before. */
  async shows(wanted: RegExp): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      if (wanted.test(this.#stdout + this.#stderr)) resolve();
    };
    this.#waiting.add(look);
    look();
    const died = this.ended.then(({ code }) => {
      if (wanted.test(this.#stdout + this.#stderr)) return;
      throw new Error(
        `expected ${wanted}, got the end with ${code}:\n${this.#block}\n${this.#stdout}${this.#stderr}`,
      );
    });
    try {
      await Promise.race([promise, died]);
    } finally {
      this.#waiting.delete(look);
      died.catch(() => undefined);
    }
    return this.#stdout + this.#stderr;
  }

  /** Ctrl-C. */
  async interrupt(): Promise<Ended> {
    this.#signal('SIGINT');
    return this.ended;
  }

  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.ended;
  }

  #signal(signal: NodeJS.Signals): void {
    // By then another group may have its number.
    if (this.#hasEnded) return;
    try {
      process.kill(-(this.#child.pid as number), signal);
    } catch (error) {
      // The group has ended.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
