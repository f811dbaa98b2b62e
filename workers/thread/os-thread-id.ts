/**
 * The system's number of the calling thread; 0 where the system does not tell, which is anywhere but on
 * Linux.
 */
import { readlinkSync } from 'node:fs';

export function osThreadId(): number {
  try {
    // PID/task/TID
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    // There is no /proc.
    return 0;
  }
}
