/**
 * A thread that waits for a child process (`execSync`, `spawnSync`) receives nothing until the child has
 * ended, not even the request to end itself. The code that ends the thread therefore ends the child too, on
 * Linux, where the system says which process that is.
 *
 * A thread waits for one child at a time: the last one that it has started. It also waits for the child's own
 * children, which may hold the child's output open.
 */
import { readFileSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';

/** JavaScript and WebAssembly are interrupted long before this. */
const PATIENCE_MS = 500;
/** If there are more processes than this, they do not belong to one synchronous call. */
const MOST_PROCESSES = 256;

/**
 * Ends the processes that keep a thread, which has been told to end, from ending.
 * @param osThreadId the system's number of the thread; 0: unknown
 * @param tell is given the processes that were ended, if any
 */
export function endWhatItWaitsFor(
  worker: Worker,
  osThreadId: number,
  tell: (processIds: readonly number[]) => void,
): void {
  if (osThreadId === 0) return;
  const timer = setTimeout(() => {
    const child = childrenOf('self', osThreadId).at(-1);
    if (child === undefined) return;
    const ended = withDescendants(child).filter(end);
    if (ended.length > 0) tell(ended);
  }, PATIENCE_MS);
  timer.unref();
  worker.once('exit', () => clearTimeout(timer));
}

/** The children in the order in which they were started; empty if the system does not say. */
function childrenOf(processId: number | 'self', threadId: number): number[] {
  try {
    const text = readFileSync(`/proc/${processId}/task/${threadId}/children`, 'latin1');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    // The process has ended meanwhile, or there is no /proc.
    return [];
  }
}

function withDescendants(processId: number): number[] {
  const found = [processId];
  for (let i = 0; i < found.length && found.length < MOST_PROCESSES; i++) {
    const parent = found[i] as number;
    // The children of its main thread, because that starts the processes of a shell and of most programs.
    found.push(...childrenOf(parent, parent));
  }
  return found;
}

function end(processId: number): boolean {
  try {
    return process.kill(processId, 'SIGKILL');
  } catch {
    // The process has ended meanwhile, or belongs to another user.
    return false;
  }
}
