/**
 * A thread that waits for a child process (`execSync`, `spawnSync`) hears of nothing before the child has ended, not even that it is to
 * end itself. So whoever has to end the thread ends the child, where the system tells which one that is: on Linux.
 *
 * A thread waits for one child at a time, which is the last that it has started; and for whoever has that one's output, its own children.
 */
import { readFileSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';

/** JavaScript and WebAssembly are interrupted long before that. */
const PATIENCE_MS = 500;
/** More belong to no call that anybody waits for. */
const MOST_PROCESSES = 256;

/**
 * The thread has been told to end: what keeps it from that ends too.
 * @param osThreadId the system's number of the thread; 0: nobody knows
 * @param tell is given the processes that were ended, if there were any
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

/** In the order in which they were started; none where the system does not tell. */
function childrenOf(processId: number | 'self', threadId: number): number[] {
  try {
    const text = readFileSync(`/proc/${processId}/task/${threadId}/children`, 'latin1');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    // It has ended meanwhile, or there is no /proc.
    return [];
  }
}

function withDescendants(processId: number): number[] {
  const found = [processId];
  for (let i = 0; i < found.length && found.length < MOST_PROCESSES; i++) {
    const parent = found[i] as number;
    // Of its main thread: that is who starts the processes of a shell and of most programs.
    found.push(...childrenOf(parent, parent));
  }
  return found;
}

function end(processId: number): boolean {
  try {
    return process.kill(processId, 'SIGKILL');
  } catch {
    // It has ended meanwhile, or belongs to another user.
    return false;
  }
}
