/**
 * Where the reader of HTTP/1.1 requests and `node:http` differ, and why the reader is right. Each entry is
 * about one rule: the refusal, and the bytes up to the refused one. The fuzzer reports any difference that is
 * not listed here as a finding.
 */

/** Which side refuses what. */
export interface Disputed {
  readonly status: number;
  readonly why: string;
  /** The bytes read up to then, including the one that broke the rule. */
  readonly before: string;
}

export interface Disagreement {
  /** Why our reader is right. */
  readonly reason: string;
  readonly section: string;
  /** The version of the parser from which Node behaves like our reader. */
  readonly until?: string;
}

interface RefusedBySluice extends Disagreement {
  readonly status: number;
  readonly why: RegExp;
  /** Must match the bytes read up to then. */
  readonly before: RegExp;
}

interface RefusedByNode extends Disagreement {
  /** The code of the parser's error. */
  readonly code: RegExp;
  readonly text: RegExp;
}

/** The values of a field in the head, up to the empty line after it. */
const heading = (field: string): RegExp =>
  new RegExp(`\\r\\n${field}\\r\\n(?:[^\\r\\n]+\\r\\n)*\\r\\n$`, 'i');

/** Our reader refuses, Node does not. */
const ours: readonly RefusedBySluice[] = [
  {
    reason:
      'A length without a digit is refused where its line ends. Node waits for the next byte, which could fold the line; a folded one is refused as well.',
    section: 'RFC 9110 section 8.6, RFC 9112 section 5.2',
    status: 400,
    why: /Content-Length field is malformed/,
    before: /\r\nContent-Length:[\t ]*\r\n$/i,
  },
  {
    reason:
      'A bare LF is no line end, and CR without LF is invalid: Node skips any number of both before a request line.',
    section: 'RFC 9112 section 2.2',
    status: 400,
    why: /request line has no method/,
    before: /\n$/,
  },
  {
    reason: 'An empty line is CRLF; Node skips a bare CR as well.',
    section: 'RFC 9112 section 2.2',
    status: 400,
    why: /bare CR comes before the request line/,
    before: /\r[^\n]$/,
  },
  {
    reason:
      'One space stands between the parts of a request line. Node skips several; section 3 allows that, and names what it has led to.',
    section: 'RFC 9112 section 3',
    status: 400,
    why: /request target is malformed|version, or the end of the request line/,
    before: /[A-Z] (?:[^ \r\n]+ )? $/,
  },
  {
    reason: 'A fragment never leaves the client.',
    section: 'RFC 9110 section 7.1',
    status: 400,
    why: /request target is malformed/,
    before: /[A-Z] [^ #\r\n]+#$/,
  },
  {
    reason:
      'Methods of RTSP, and the name in the preface of HTTP/2, are not methods of HTTP/1.1, though Node knows them.',
    section: 'RFC 9110 section 9.1',
    status: 501,
    why: /method is unknown/,
    before:
      /(?:PRI|DESCRIBE|ANNOUNCE|SETUP|PLAY|PAUSE|TEARDOWN|GET_PARAMETER|SET_PARAMETER|REDIRECT|RECORD|FLUSH) $/,
  },
  {
    reason: 'The name of the protocol is HTTP; Node takes those of two others with some methods.',
    section: 'RFC 9112 section 2.3',
    status: 400,
    why: /version, or the end of the request line/,
    before: / (?:R|I)$/,
  },
  {
    reason: 'A major version other than 1 is not spoken here; Node answers 0.9 and 2.0 as if they were.',
    section: 'RFC 9110 section 15.6.6',
    status: 505,
    why: /neither 1\.0 nor 1\.1/,
    before: /HTTP\/(?:0\.9|2\.0)\r\n$/,
  },
  {
    reason: 'A request of HTTP/0.9 has no version; Node answers it.',
    section: 'RFC 9110 section 15.6.6',
    status: 505,
    why: /neither 1\.0 nor 1\.1/,
    before: / \/[^ \r\n]*\r\n$/,
  },
  {
    reason: 'A line that ends behind the target is no request line; Node takes it for one of HTTP/0.9.',
    section: 'RFC 9112 section 3',
    status: 400,
    why: /request target is malformed/,
    before: /[A-Z] [^ \r\n]*[\r\n]$/,
  },
  {
    reason: 'A target has one of four forms; Node looks at its characters only.',
    section: 'RFC 9112 section 3.2',
    status: 400,
    why: /request target is malformed/,
    before: / HTTP\/1\.\d\r\n$/,
  },
  {
    reason:
      'A request without Host ends the connection; Node answers 400 too, and goes on with what is behind it.',
    section: 'RFC 9112 section 3.2',
    status: 400,
    why: /Host field is missing/,
    before: / HTTP\/1\.[1-9]\r\n(?:[^\r\n]+\r\n)*\r\n$/,
  },
  {
    reason: 'A request whose target names no host and whose Host is empty is for nobody; Node hands it on.',
    section: 'RFC 9112 section 3.3',
    status: 400,
    why: /Host field is empty/,
    before: heading('host:[ \\t]*'),
  },
  {
    reason: 'There is one Host field, whatever its values; Node tells its application of the first.',
    section: 'RFC 9112 section 3.2',
    status: 400,
    why: /Host field is repeated/,
    before: /\r\nhost:[^\r\n]*\r\n(?:[^\r\n]+\r\n)*host:[^\r\n]*\r\n$/i,
  },
  {
    reason: 'A Host is a host and an optional port; Node takes anything for one.',
    section: 'RFC 9112 section 3.2',
    status: 400,
    why: /Host field is malformed/,
    before: /\r\nhost:[^\r\n]*\r\n$/i,
  },
  {
    reason:
      'A length that a number cannot hold exactly is beyond any limit; Node counts to 2^64, and its application cannot.',
    section: 'RFC 9110 section 8.6',
    status: 413,
    why: /content is too large/,
    before: /\r\ncontent-length:[ \t]*\d{16,}[ \t]*\r\n$/i,
  },
  {
    reason: 'We decode no coding but chunked: with another the content would be handed on as what it is not.',
    section: 'RFC 9112 section 6.1',
    status: 501,
    why: /transfer coding is unknown/,
    before: heading(
      'transfer-encoding:[^\\r\\n]*(?:,|\\r\\n(?:[^\\r\\n]+\\r\\n)*transfer-encoding:)[^\\r\\n]*chunked',
    ),
  },
  {
    reason: 'An empty member of a list is none, but other servers have read one as a coding.',
    section: 'RFC 9112 section 6.3',
    status: 400,
    why: /chunked is not the last transfer coding/,
    before: heading(
      'transfer-encoding:[^\\r\\n]*(?:,|\\r\\n(?:[^\\r\\n]+\\r\\n)*transfer-encoding:)[^\\r\\n]*chunked',
    ),
  },
  {
    reason: 'A Transfer-Encoding without a coding frames nothing.',
    section: 'RFC 9112 section 6.3',
    until: '9.4',
    status: 400,
    why: /chunked is not the last transfer coding/,
    before: heading('transfer-encoding:[ \\t]*'),
  },
  {
    reason: 'White space behind the coding is no part of it, but other servers have read it so.',
    section: 'RFC 9112 section 5.1',
    status: 400,
    why: /white space follows the transfer coding/,
    before: /\r\ntransfer-encoding:[^\r\n]*[ \t]\r\n$/i,
  },
  {
    reason: 'HTTP/1.0 has no transfer codings: a server before us may not know them.',
    section: 'RFC 9112 section 6.1',
    status: 400,
    why: /HTTP\/1\.0 has no Transfer-Encoding/,
    before: / HTTP\/1\.0\r\n(?:[^\r\n]+\r\n)+\r\n$/,
  },
  {
    reason:
      'There is one expectation, and a client that has another does not get what it asks for. Node looks for its name anywhere in the value, and its 417 for another one does not end the connection.',
    section: 'RFC 9110 section 10.1.1',
    status: 417,
    why: /only expectation is 100-continue/,
    before: heading('expect:[^\\r\\n]*'),
  },
  {
    reason:
      'A chunk size is a number that we can count, of no more digits than that takes; Node counts to 2^64.',
    section: 'RFC 9112 section 7.1',
    status: 400,
    why: /chunk size is too large/,
    before: /\r\n[0-9a-f]{14,17}$/i,
  },
  {
    reason:
      'An extension has a name, and a value where there is an equals sign: a token, or a quoted string and nothing beside it.',
    section: 'RFC 9112 section 7.1.1',
    status: 400,
    why: /chunk extension is malformed/,
    before: /\r\n[0-9a-f]+;[^\n]*$/i,
  },
];

/** Node refuses, our reader does not. */
const nodes: readonly RefusedByNode[] = [
  {
    reason: 'White space around a value is no part of it, a tab behind a length neither.',
    section: 'RFC 9112 section 5',
    until: '9.4',
    code: /^HPE_INVALID_CONTENT_LENGTH$/,
    text: /content-length:[^\r\n]*\d[ \t]*\t[ \t]*\r\n/i,
  },
  {
    reason: 'A minor version that is not known is taken for the highest one that is.',
    section: 'RFC 9110 section 2.5',
    code: /^HPE_INVALID_VERSION$/,
    text: / HTTP\/1\.[2-9]/,
  },
  {
    reason:
      'A trailer does not say how the connection goes on; Node takes `Connection: close` there for that of a head.',
    section: 'RFC 9110 section 6.5.1',
    code: /^HPE_CLOSED_CONNECTION$/,
    text: /\r\n0+(?:;[^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*connection:[^\r\n]*\r\n/i,
  },
];

/** The entry that explains why our reader refuses it and Node does not. */
export function refusedBySluice({ status, why, before }: Disputed): Disagreement | undefined {
  return ours.find((entry) => entry.status === status && entry.why.test(why) && entry.before.test(before));
}

/** The entry that explains why Node refuses it and our reader does not. @param text all of it */
export function refusedByNode(code: string, text: string): Disagreement | undefined {
  return nodes.find((entry) => entry.code.test(code) && entry.text.test(text));
}

export const disagreements: readonly Disagreement[] = [...ours, ...nodes];
