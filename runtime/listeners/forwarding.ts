/**
 * Finds the client behind trusted proxies. Each proxy appends what it saw, so the list is read from its end.
 * The nearest proxy is trusted because of its address. The node that it names is believed, and if that is a
 * trusted proxy, so is what that proxy names. The first node that is not trusted is the client. The client
 * may have made up everything before it.
 *
 * There are two spellings. A proxy writes one of them and may let the client's other one through. So if both
 * are present they must agree. If they do not, or if one is malformed, the client cannot be known, and the
 * request is refused.
 */
import type { ListenerConfig } from '../config/listeners.ts';
import type { Client, ClientFinder, Nearest } from '../connections/peer.ts';
import { isHttpAuthority } from '../http1/host.ts';
import type { Endpoint } from './endpoint.ts';
import { type ForwardedElement, parseForwarded, parseForwardedFor } from './forwarded-field.ts';
import type { TrustedProxies } from './trusted-proxies.ts';

type FieldName = ListenerConfig['forwardedFields'][number];

/** What one spelling says. Null: nothing. */
interface Account {
  readonly node: Endpoint | null;
  readonly scheme: 'http' | 'https' | null;
  readonly authority: string | null;
}

const NOTHING: Account = Object.freeze({ node: null, scheme: null, authority: null });

/**
 * Some proxies send ws and wss for a WebSocket, whose connection is one of http and https. A map, because
 * clients may choose the key.
 */
const schemes: ReadonlyMap<string, 'http' | 'https'> = new Map([
  ['http', 'http'],
  ['https', 'https'],
  ['ws', 'http'],
  ['wss', 'https'],
]);

export class Forwarding implements ClientFinder {
  readonly #trusted: TrustedProxies;
  readonly #fields: ReadonlySet<FieldName>;

  constructor(trusted: TrustedProxies, fields: readonly FieldName[]) {
    this.#trusted = trusted;
    this.#fields = new Set(fields);
  }

  clientOf(peer: Nearest, authority: string, fields: readonly string[]): Client | null {
    const standard = this.#forwarded(combined(fields, 'forwarded', this.#fields));
    const older = this.#xForwarded(fields);
    if (standard === null || older === null) return null;
    const node = agreed(standard.node, older.node, isSameNode);
    const scheme = agreed(standard.scheme, older.scheme, Object.is);
    const host = agreed(standard.authority, older.authority, isSameHost);
    if (node === undefined || scheme === undefined || host === undefined) return null;
    return {
      address: node === null ? peer.address : node.address,
      port: node === null ? peer.port : node.port,
      scheme: scheme ?? peer.scheme,
      authority: host ?? authority,
    };
  }

  #forwarded(value: string | null): Account | null {
    if (value === null) return NOTHING;
    const elements = parseForwarded(value);
    if (elements === null) return null;
    if (elements.length === 0) return NOTHING;
    const { node, proto, host } = elements[this.#clientIndex(elements.map(nodeOf))] as ForwardedElement;
    return account(node, proto, host);
  }

  #xForwarded(fields: readonly string[]): Account | null {
    const forValue = combined(fields, 'x-forwarded-for', this.#fields);
    const nodes = forValue === null ? [] : parseForwardedFor(forValue);
    if (nodes === null) return null;
    const index = this.#clientIndex(nodes);
    // Proxies append to these fields as they do to the addresses, or set them once.
    const places = Math.max(1, nodes.length - index);
    const proto = fromEnd(combined(fields, 'x-forwarded-proto', this.#fields), places);
    const host = fromEnd(combined(fields, 'x-forwarded-host', this.#fields), places);
    return account(nodes[index] ?? null, proto, host);
  }

  /** The index of the first node from the end that is not a trusted proxy; of the first node if all are. */
  #clientIndex(nodes: readonly (Endpoint | null)[]): number {
    let index = Math.max(0, nodes.length - 1);
    for (; index > 0; index--) {
      const node = nodes[index];
      if (node === null || node === undefined || !this.#trusted.includes(node)) break;
    }
    return index;
  }
}

/** All lines of a field as one value (RFC 9110 section 5.2); null if it is absent or not trusted. */
function combined(
  fields: readonly string[],
  name: FieldName,
  believed: ReadonlySet<FieldName>,
): string | null {
  if (!believed.has(name)) return null;
  let value: string | null = null;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === name) value = value === null ? (fields[i + 1] as string) : `${value},${fields[i + 1]}`;
  }
  return value;
}

/** The `places`-th member of a list from its end; the first member if the list is shorter. */
function fromEnd(value: string | null, places: number): string | null {
  if (value === null) return null;
  const members = value.split(',');
  return (members[Math.max(0, members.length - places)] as string).trim();
}

function account(node: Endpoint | null, proto: string | null, host: string | null): Account | null {
  const scheme = proto === null ? null : schemes.get(proto.toLowerCase());
  if (scheme === undefined || (host !== null && !isHttpAuthority(host))) return null;
  return { node, scheme, authority: host };
}

/** The one of two values that is present; undefined if both are and differ. */
function agreed<Value>(
  one: Value | null,
  other: Value | null,
  isSame: (one: Value, other: Value) => boolean,
) {
  if (one === null || other === null) return one ?? other;
  return isSame(one, other) ? one : undefined;
}

function nodeOf({ node }: ForwardedElement): Endpoint | null {
  return node;
}

/** One spelling may omit the port. */
function isSameNode(one: Endpoint, other: Endpoint): boolean {
  return one.address.toLowerCase() === other.address.toLowerCase();
}

function isSameHost(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
