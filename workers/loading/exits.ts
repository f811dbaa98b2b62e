/**
 * `process.exit` and `process.kill` of a thread. A module may keep them while it is loaded, as by `import { exit } from 'node:process'`.
 * Each is therefore replaced once, and what the replacement does changes.
 */
import { syncBuiltinESMExports } from 'node:module';

type ExitArguments = Parameters<typeof process.exit>;
type KillArguments = Parameters<typeof process.kill>;

/** What is done instead of Node's own. */
export interface Exits {
  exit(args: ExitArguments, exit: typeof process.exit): void;
  /** False: the signal is sent. */
  kill(args: KillArguments): boolean;
}

const NODES_OWN: Exits = {
  exit: (args, exit) => exit(...args),
  kill: () => false,
};

let instead = NODES_OWN;
let state: 'nodes-own' | 'replaced' = 'nodes-own';

/** @returns ends it, unless something else is done by then */
export function insteadOfExits(exits: Exits): () => void {
  replaceOnce();
  instead = exits;
  return () => {
    if (instead === exits) instead = NODES_OWN;
  };
}

function replaceOnce(): void {
  if (state === 'replaced') return;
  state = 'replaced';
  const { exit, kill } = process;
  const nodesExit = exit.bind(process) as typeof exit;
  process.exit = ((...args: ExitArguments) => instead.exit(args, nodesExit)) as typeof exit;
  process.kill = (...args: KillArguments) => instead.kill(args) || kill.apply(process, args);
  // Some module, such as a preload, may have imported them already.
  syncBuiltinESMExports();
}
