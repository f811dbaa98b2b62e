/** The system's number of the calling thread; 0 if it is unknown, as on every system but Linux. */
import { readlinkSync } from 'node:fs';

export function osThreadId(): number {
  try {
    // PID/task/TID
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    // The system has no /proc.
    return 0;
  }
}
