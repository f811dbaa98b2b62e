/**
 * Reads what proxies write about those before them: `Forwarded` (RFC 7239) and the older `X-Forwarded-For`. A
 * value that violates its grammar is refused as a whole: with a lenient reading two tiers could see two
 * different clients.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { type Endpoint, UNKNOWN } from './endpoint.ts';

/** What one proxy wrote about the node that it was connected from. Null: it wrote nothing about it. */
export interface ForwardedElement {
  readonly node: Endpoint | null;
  readonly proto: string | null;
  readonly host: string | null;
}

/** RFC 7239 section 4: token "=" (token or quoted-string), or nothing, then ";", "," or the end. */
const pair =
  /[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)"))?[ \t]*([;,]|$)/y;

/** The elements of `Forwarded`, that of the nearest proxy last; null if the value is malformed. */
export function parseForwarded(value: string): ForwardedElement[] | null {
  const elements: ForwardedElement[] = [];
  let parameters = new Map<string, string>();
  pair.lastIndex = 0;
  for (;;) {
    const match = pair.exec(value);
    if (match === null) return null;
    const [, name, token, quoted, separator] = match as readonly (string | undefined)[];
    if (name !== undefined) {
      const key = name.toLowerCase();
      // Each parameter may appear at most once in an element.
      if (parameters.has(key)) return null;
      parameters.set(key, token ?? (quoted ?? '').replace(/\\(.)/g, '$1'));
    }
    if (separator === ';') continue;
    // Empty members of a list are ignored (RFC 9110 section 5.6.1.2).
    if (parameters.size > 0) {
      const element = elementOf(parameters);
      if (element === null) return null;
      elements.push(element);
    }
    if (separator === '') return elements;
    parameters = new Map();
  }
}

function elementOf(parameters: ReadonlyMap<string, string>): ForwardedElement | null {
  const text = parameters.get('for');
  const node = text === undefined ? null : parseNode(text);
  if (node === undefined) return null;
  return { node, proto: parameters.get('proto') ?? null, host: parameters.get('host') ?? null };
}

/** The nodes of `X-Forwarded-For`, the nearest last; null if one is malformed. */
export function parseForwardedFor(value: string): Endpoint[] | null {
  const nodes: Endpoint[] = [];
  for (const text of value.split(',')) {
    const trimmed = text.trim();
    if (trimmed === '') continue;
    // Unlike `Forwarded`, this field has IPv6 addresses without brackets.
    const node = isIPv6(trimmed) ? endpoint(trimmed, undefined) : parseNode(trimmed);
    if (node === undefined) return null;
    nodes.push(node);
  }
  return nodes;
}

/** An IPv6 address and the interface name of its zone. Node accepts a zone of any length. */
const MAX_ADDRESS_CHARS = 64;

/** RFC 7239 section 6: an address and perhaps a port, `unknown`, or a name that starts with "_". */
function parseNode(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}|_[0-9A-Za-z._-]+))?$/.exec(text);
  if (match === null) return undefined;
  const [, ipv6, name, port] = match;
  if (ipv6 !== undefined) return isIPv6(ipv6) ? endpoint(ipv6, port) : undefined;
  if (isIPv4(name)) return endpoint(name, port);
  return name.toLowerCase() === 'unknown' || /^_[0-9A-Za-z._-]+$/.test(name) ? UNKNOWN : undefined;
}

function endpoint(address: string, portText: string | undefined): Endpoint | undefined {
  // A port that starts with "_" only says that there is one.
  const port = portText === undefined || portText.startsWith('_') ? 0 : Number(portText);
  return port <= 65_535 && address.length <= MAX_ADDRESS_CHARS ? { address, port, isUnix: false } : undefined;
}
