/**
 * Parses the header of the PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt). A proxy sends it
 * before anything else, so that the server learns whom the connection comes from. Pure: bytes in, verdict
 * out.
 *
 * The protocol forbids guessing: where a header is expected, anything else ends the connection.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { type Endpoint, UNKNOWN } from './endpoint.ts';

export type ProxyVersions = 'v1' | 'v2' | 'any';

/**
 * `more`: more bytes are needed to decide. `wrong`: the bytes are no valid header, and why. `whole`: the
 * header is complete.
 */
export type ProxyVerdict =
  | { readonly state: 'more' }
  | { readonly state: 'wrong'; readonly why: string }
  | {
      readonly state: 'whole';
      /** Where the client's own bytes begin. */
      readonly length: number;
      /**
       * The client; null if the connection is the proxy's own (LOCAL) or the proxy does not know the client.
       */
      readonly source: Endpoint | null;
    };

const MORE: ProxyVerdict = Object.freeze({ state: 'more' });
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const WORD = Buffer.from('PROXY ', 'latin1');
/** Section 2.1: the longest line, with its CRLF. */
const maxLineBytes = 107;
const fixedBytes = 16;

const Command = { Local: 0, Proxy: 1 } as const;
const Family = { Unspecified: 0, Inet: 1, Inet6: 2, Unix: 3 } as const;
const Transport = { Unspecified: 0, Stream: 1, Datagram: 2 } as const;

/** @param maxBytes the limit for a header of version 2; version 1 has its own limit of 107 */
export function parseProxyHeader(seen: Buffer, versions: ProxyVersions, maxBytes: number): ProxyVerdict {
  if (versions !== 'v1' && begins(seen, SIGNATURE)) return parseBinary(seen, maxBytes);
  if (versions !== 'v2' && begins(seen, WORD)) return parseLine(seen);
  return wrong('the connection does not begin with a header');
}

/** Compares as many bytes as there are. */
function begins(seen: Buffer, expected: Buffer): boolean {
  const compared = Math.min(seen.length, expected.length);
  return expected.compare(seen, 0, compared, 0, compared) === 0;
}

function parseLine(seen: Buffer): ProxyVerdict {
  const end = seen.subarray(0, maxLineBytes).indexOf('\n');
  if (end === -1)
    return seen.length < maxLineBytes ? MORE : wrong(`no line end within ${maxLineBytes} bytes`);
  const line = seen.toString('latin1', 0, end + 1);
  const length = end + 1;
  if (/^PROXY UNKNOWN(?: [^\r\n]*)?\r\n$/.test(line)) return { state: 'whole', length, source: null };
  const match = /^PROXY TCP([46]) (\S+) (\S+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})\r\n$/.exec(line);
  if (match === null) return wrong('the line is malformed');
  const [, family, source, destination, sourcePort, destinationPort] = match;
  const isAddress = family === '4' ? isIPv4 : isIPv6;
  // A zone (RFC 4007 section 11) has a meaning only on the proxy's machine.
  if (line.includes('%') || !isAddress(source) || !isAddress(destination))
    return wrong('an address is malformed');
  if (Number(sourcePort) > 65_535 || Number(destinationPort) > 65_535) return wrong('a port is over 65535');
  return { state: 'whole', length, source: { address: source, port: Number(sourcePort), isUnix: false } };
}

function parseBinary(seen: Buffer, maxBytes: number): ProxyVerdict {
  if (seen.length < fixedBytes) return MORE;
  const [version, command] = nibbles(seen[12]);
  const [family, transport] = nibbles(seen[13]);
  if (version !== 2) return wrong(`version ${version}`);
  if (command > Command.Proxy) return wrong(`command ${command}`);
  // With LOCAL the family is ignored, whatever it is (section 2.2 of the PROXY protocol).
  if (command !== Command.Local && (family > Family.Unix || transport > Transport.Datagram))
    return wrong(`family and transport ${seen[13]}`);
  const length = fixedBytes + seen.readUInt16BE(14);
  // Refused by its announced length, before any of it is kept.
  if (length > maxBytes) return wrong(`the header has ${length} bytes, at most ${maxBytes} are allowed`);
  if (seen.length < length) return MORE;
  if (command === Command.Local || transport !== Transport.Stream || family === Family.Unspecified) {
    return { state: 'whole', length, source: null };
  }
  // TLVs may follow the addresses. None of them changes who the client is.
  if (length - fixedBytes < addressBytes[family]) return wrong('the addresses are cut short');
  return { state: 'whole', length, source: sourceOf(seen, family) };
}

const addressBytes: Readonly<Record<number, number>> = {
  [Family.Inet]: 12,
  [Family.Inet6]: 36,
  [Family.Unix]: 216,
};

function sourceOf(seen: Buffer, family: number): Endpoint {
  if (family === Family.Inet) {
    const address = seen.subarray(fixedBytes, fixedBytes + 4).join('.');
    return { address, port: seen.readUInt16BE(fixedBytes + 8), isUnix: false };
  }
  if (family === Family.Inet6) {
    const address = ipv6Text(seen, fixedBytes);
    return { address, port: seen.readUInt16BE(fixedBytes + 32), isUnix: false };
  }
  // A path on the proxy's machine, which is no address that could be shown here.
  return UNKNOWN;
}

/** RFC 4291 section 2.5.5.2. */
const MAPPED_PREFIX = Buffer.from('00000000000000000000ffff', 'hex');

/**
 * RFC 5952: the longest run of at least two zero groups is left out. An embedded IPv4 address is written as
 * one (section 5): a proxy that serves both on one socket reports each IPv4 client in this way, and they must
 * stay distinct.
 */
function ipv6Text(bytes: Buffer, offset: number): string {
  const ipv4 = offset + MAPPED_PREFIX.length;
  if (MAPPED_PREFIX.equals(bytes.subarray(offset, ipv4)))
    return `::ffff:${bytes.subarray(ipv4, ipv4 + 4).join('.')}`;
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(offset + index * 2).toString(16));
  let from = 0;
  let longest = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === '0') end++;
    if (end - start <= longest) continue;
    longest = end - start;
    from = start;
  }
  if (longest < 2) return groups.join(':');
  return `${groups.slice(0, from).join(':')}::${groups.slice(from + longest).join(':')}`;
}

function nibbles(byte: number): [high: number, low: number] {
  return [byte >> 4, byte & 0x0f];
}

function wrong(why: string): ProxyVerdict {
  return { state: 'wrong', why };
}
