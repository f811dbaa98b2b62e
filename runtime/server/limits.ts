/**
 * Limits the number of connections over all listeners, and from one address. An IPv6 client can choose from at least a /64 of addresses
 * (RFC 6177), so that prefix counts as one address.
 */
export interface ConnectionLimitOptions {
  readonly maxConnections: number;
  /** 0: no limit of its own. */
  readonly maxConnectionsPerAddress: number;
}

export class ConnectionLimits {
  /** May be replaced. Open connections stay, and count. */
  options: ConnectionLimitOptions;
  #open = 0;
  /** Bounded by the number of connections, because an address without one is removed. */
  readonly #byAddress = new Map<string, number>();

  constructor(options: ConnectionLimitOptions) {
    this.options = options;
  }

  get openConnections(): number {
    return this.#open;
  }

  /** Counts a connection until `close`. False: the limit is reached, and nothing is counted. */
  open(): boolean {
    if (this.#open >= this.options.maxConnections) return false;
    this.#open++;
    return true;
  }

  close(): void {
    this.#open--;
  }

  /** As `open`, for one address, until `closeFrom`. A peer without an address (a Unix socket) is not counted. */
  openFrom(address: string): boolean {
    const most = this.options.maxConnectionsPerAddress;
    if (address === '') return true;
    // Counted without a limit too, because a reload may set one.
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

/** An IPv4 address (also when a dual-stack socket reports it in IPv6 form), or the /64 of an IPv6 address. */
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
