/**
 * What a server costs, read from /proc: CPU time and resident memory of its whole process group.
 *
 * Threads are part of their process there. Children that ended are in their parent's `cutime` and `cstime`
 * once it has waited for them. So the sum of own and waited-for times over the living group counts each tick
 * once.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ: the kernel's unit for process times, 100 on every Linux this can run on. */
const TICKS_PER_SECOND = 100;

interface ProcessStat {
  readonly groupId: number;
  readonly cpuTicks: number;
}

/** Fields of /proc/PID/stat after the command name, which may itself hold spaces and parentheses. */
function readStat(pid: string): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null; // it ended between the listing and the reading
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // proc_pid_stat(5) counts from 1 with the state as field 3: pgrp is 5, utime to cstime are 14 to 17.
  const ticks = Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
  return { groupId: Number(fields[2]), cpuTicks: ticks };
}

function groupMembers(groupId: number): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && readStat(name)?.groupId === groupId);
}

/** User and system time that a process group has used so far, in microseconds; 10 ms resolution. */
export function cpuMicroseconds(groupId: number): number {
  let ticks = 0;
  for (const pid of groupMembers(groupId)) ticks += readStat(pid)?.cpuTicks ?? 0;
  return (ticks / TICKS_PER_SECOND) * 1e6;
}

/** Resident bytes of a process group; pages that its processes share are counted in each. */
export function residentBytes(groupId: number): number {
  let total = 0;
  for (const pid of groupMembers(groupId)) total += residentBytesOfProcess(pid);
  return total;
}

export function residentBytesOfProcess(pid: string): number {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return match === null ? 0 : Number(match[1]) * 1024;
  } catch {
    return 0; // it ended between the listing and the reading
  }
}

/** Samples a group's resident memory until stopped, and keeps the highest value seen. */
export class MemorySampler {
  readonly #groupId: number;
  readonly #timer: NodeJS.Timeout;
  /** Resident bytes when sampling began. */
  readonly startBytes: number;
  #peakBytes: number;

  constructor(groupId: number, intervalMs = 50) {
    this.#groupId = groupId;
    this.startBytes = residentBytes(groupId);
    this.#peakBytes = this.startBytes;
    this.#timer = setInterval(() => this.#sample(), intervalMs);
  }

  #sample(): void {
    this.#peakBytes = Math.max(this.#peakBytes, residentBytes(this.#groupId));
  }

  /** Ends sampling; the growth from the start to the peak, in bytes. */
  stop(): number {
    clearInterval(this.#timer);
    this.#sample();
    return this.#peakBytes - this.startBytes;
  }
}
