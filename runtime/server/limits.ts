/**
 * How many connections there may be: in all, over every listener, and from one address. A client with IPv6 has at least
 * a /64 to choose addresses from (RFC 6177), so that prefix counts as one.
 */

export interface ConnectionLimitOptions {
  readonly maxConnections: number;
  /** 0: as many as there may be in all. */
  readonly maxConnectionsPerAddress: number;
}

export class ConnectionLimits {
  /** May be replaced: connections that are open stay, and count. */
  options: ConnectionLimitOptions;
  #open = 0;
  /** Only addresses that have a connection are in it, so it is no larger than their number. */
  readonly #byAddress = new Map<string, number>();

  constructor(options: ConnectionLimitOptions) {
    this.options = options;
  }

  get openConnections(): number {
    return this.#open;
  }

  /** False: there are as many as there may be. True: one more is counted, until `close`. */
  open(): boolean {
    if (this.#open >= this.options.maxConnections) return false;
    this.#open++;
    return true;
  }

  close(): void {
    this.#open--;
  }

  /** The same for the connections of one address, which ends with `closeFrom`. Whoever has no address is not counted. */
  openFrom(address: string): boolean {
    const most = this.options.maxConnectionsPerAddress;
    if (address === '') return true;
    // Counted without a limit too, as there may be one tomorrow.
    const key = addressKey(address);
    const count = this.#byAddress.get(key) ?? 0;
    if (most > 0 && count >= most) return false;
    this.#byAddress.set(key, count + 1);
    return true;
  }

  closeFrom(address: string): void {
    if (address === '') return;
    const key = addressKey(address);
    const count = this.#byAddress.get(key) ?? 0;
    if (count <= 1) this.#byAddress.delete(key);
    else this.#byAddress.set(key, count - 1);
  }
}

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
const PREFIX_GROUPS = 4;
const GROUPS = 8;

/** What counts as one: an IPv4 address, also where a socket that serves both shows it as IPv6, or an IPv6 /64. */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = MAPPED.exec(address);
  if (mapped !== null) return mapped[1] as string;
  const [head = '', tail] = (address.split('%', 1)[0] as string).split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? 0 : tail.split(':').length + (tail.includes('.') ? 1 : 0);
    while (groups.length < GROUPS - behind) groups.push('0');
    if (tail !== '') groups.push(...tail.split(':'));
  }
  const prefix = groups.slice(0, PREFIX_GROUPS).map((group) => Number.parseInt(group, 16).toString(16));
  return `${prefix.join(':')}::/64`;
}
