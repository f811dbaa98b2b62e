/**
 * Lays out the head of a Node response as a flat list, with Node's own checks. An application sends few names, mostly with the values that
 * they had before, so each name and its last value are checked once.
 */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { inspect } from 'node:util';
import { FIELDS_OF_CONNECTION } from '../fields-of-connection.ts';

/** The response whose head it is. */
export interface HeadOwner {
  shouldKeepAlive: boolean;
  _contentLength: number | null;
  /** The application has removed content-length. */
  _removedContLen: boolean;
}

/** What else the head depends on, and tells. */
export interface HeadSettings {
  /** The application has set Transfer-Encoding. */
  isFramed: boolean;
  /** Names of fields whose values are sent in one line, in lower case; null if there are none. */
  readonly uniqueHeaders: ReadonlySet<string> | null;
}

interface KnownName {
  readonly lower: string;
  readonly meaning: 'field' | 'length' | 'connection' | 'framing' | 'of connection';
  /** The last value that was valid and without white space around it. */
  value: string;
}

/** Of more names, those that come later are checked each time. */
const MAX_NAMES = 256;
/** Longer values seldom come again, and would be kept in memory. */
const MAX_KEPT_LENGTH = 256;
const known = new Map<string, KnownName>();

/** `close` in the value of Connection, as Node looks for it. */
const CLOSE = /(?:^|\W)close(?:$|\W)/i;

/** @param set what `setHeader` has collected, by the name in lower case; Node has checked it */
export function collectedHead(
  res: HeadOwner,
  settings: HeadSettings,
  set: { readonly [lower: string]: readonly [name: string, value: unknown] },
): string[] {
  const fields: string[] = [];
  for (const lower in set) {
    append(res, settings, fields, lower, (set[lower] as readonly [string, unknown])[1], true);
  }
  return fields;
}

/** @param headers the argument of `writeHead`, which Node checks when it stores the head */
export function writtenHead(res: HeadOwner, settings: HeadSettings, headers: unknown): string[] {
  const fields: string[] = [];
  if (Array.isArray(headers)) {
    if (Array.isArray(headers[0])) {
      for (const [name, value] of headers) append(res, settings, fields, name, value, false);
    } else if (headers.length % 2 !== 0) {
      throw oddHeaders(headers);
    } else {
      for (let i = 0; i < headers.length; i += 2) {
        append(res, settings, fields, headers[i], headers[i + 1], false);
      }
    }
  } else if (typeof headers === 'object' && headers !== null) {
    for (const name of Object.keys(headers)) {
      append(res, settings, fields, name, (headers as never)[name], false);
    }
  }
  return fields;
}

/** Node's own error for it. */
function oddHeaders(headers: readonly unknown[]): TypeError {
  const error = new TypeError(`The argument 'headers' is invalid. Received ${inspect(headers)}`);
  return Object.assign(error, { code: 'ERR_INVALID_ARG_VALUE' });
}

function append(
  res: HeadOwner,
  settings: HeadSettings,
  fields: string[],
  name: string,
  value: unknown,
  isChecked: boolean,
): void {
  const field = known.get(name) ?? newName(name);
  const { lower, meaning } = field;
  if (!isChecked && value !== field.value) validateHeaderValue(name, value as string);
  switch (meaning) {
    case 'field':
      break;
    case 'connection':
      // As on Node: any value other than close keeps the connection, whatever was set before.
      res.shouldKeepAlive = !CLOSE.test(String(value));
      return;
    case 'framing':
      settings.isFramed = true;
      return;
    case 'of connection':
      return;
    case 'length':
      res._contentLength = Number(value);
      res._removedContLen = false;
  }
  if (value === field.value) fields.push(lower, field.value);
  else if (!Array.isArray(value)) fields.push(lower, keptText(field, value));
  else if (lower === 'cookie' || settings.uniqueHeaders?.has(lower)) fields.push(lower, value.join('; '));
  else for (const one of value) fields.push(lower, String(one).trim());
}

/** Node sends white space around a value, which a gateway refuses. No recipient takes it for a part of the value. */
function keptText(field: KnownName, value: unknown): string {
  const text = String(value).trim();
  if (text === value && text.length <= MAX_KEPT_LENGTH) field.value = text;
  return text;
}

function newName(name: string): KnownName {
  // Node's own check, which throws.
  validateHeaderName(name);
  const lower = name.toLowerCase();
  const field: KnownName = { lower, meaning: meaningOf(lower), value: '' };
  if (known.size < MAX_NAMES) known.set(name, field);
  return field;
}

function meaningOf(lower: string): KnownName['meaning'] {
  if (lower === 'content-length') return 'length';
  if (lower === 'connection') return 'connection';
  if (lower === 'transfer-encoding') return 'framing';
  return FIELDS_OF_CONNECTION.has(lower) ? 'of connection' : 'field';
}
