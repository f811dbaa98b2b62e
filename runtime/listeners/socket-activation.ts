/** Listening sockets that systemd has opened and passed on (sd_listen_fds(3)). */
import type { SystemdAddress } from '../config/address.ts';
import { ListenError } from './listen-error.ts';

/** The first descriptor that is passed, by convention. */
const firstFd = 3;

export type ActivationEnvironment = Readonly<Record<string, string | undefined>>;

/**
 * The descriptors that an address stands for.
 * @throws ListenError if none was passed under its name
 */
export function passedSockets(
  { address, name }: SystemdAddress,
  environment: ActivationEnvironment,
  pid: number,
): number[] {
  const { LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES } = environment;
  const count = /^\d{1,5}$/.test(LISTEN_FDS ?? '') ? Number(LISTEN_FDS) : 0;
  if (count === 0) throw new ListenError(address, 'sockets from systemd', 'none: LISTEN_FDS is not set');
  // Without this check, a child process would use sockets that were meant for its parent.
  if (LISTEN_PID !== String(pid)) {
    const received = `sockets for process ${LISTEN_PID ?? 'unknown'}`;
    throw new ListenError(
      address,
      `sockets for this process, ${pid}`,
      `${received}: start node itself, not a script around it`,
    );
  }
  const names = LISTEN_FDNAMES?.split(':') ?? [];
  const fds = Array.from({ length: count }, (_, index) => firstFd + index);
  const chosen = name === '*' ? fds : fds.filter((_, index) => names[index] === name);
  if (chosen.length > 0) return chosen;
  throw new ListenError(
    address,
    `a socket named ${name}`,
    names.length === 0 ? 'none with a name' : names.join(', '),
  );
}
