/**
 * Compares an input with the schema's structure, and finds unknown keys and arrays in place of objects.
 *
 * The schema library does neither in the way that a configuration needs: it stops at the first unknown key of
 * an object, takes an empty array for an object without keys, and passes over record keys such as
 * "constructor" silently.
 */

import type * as v from 'valibot';
import { closest } from './closest.ts';
import { ConfigErrorCode, type ConfigProblem, describeValue } from './errors.ts';
import { childPath } from './json-source.ts';

type Schema = v.GenericSchema;

/** Keys that a record drops, because they have a meaning to JavaScript as names of members. */
const reservedNames = new Set(['__proto__', 'constructor', 'prototype']);

export function checkShape(schema: Schema, input: unknown, path: string, problems: ConfigProblem[]): void {
  if (hasWrapped(schema)) {
    checkShape(schema.wrapped, input, path, problems);
    return;
  }
  if (isArraySchema(schema)) {
    if (!Array.isArray(input)) return;
    for (const [index, item] of input.entries())
      checkShape(schema.item, item, childPath(path, index), problems);
    return;
  }
  if (isUnionSchema(schema)) {
    if (typeof input !== 'object' || input === null) return;
    if (Array.isArray(input)) {
      const expected = expectedBy(schema);
      problems.push({
        code: ConfigErrorCode.WrongType,
        where: path,
        expected,
        received: describeValue(input),
      });
      return;
    }
    // At most one of them is made of members.
    for (const option of schema.options) checkShape(option, input, path, problems);
    return;
  }
  const object = isObjectSchema(schema);
  if (!object && !isRecordSchema(schema)) return;
  if (typeof input !== 'object' || input === null) return;
  if (Array.isArray(input)) {
    const expected = expectedBy(schema);
    problems.push({ code: ConfigErrorCode.WrongType, where: path, expected, received: describeValue(input) });
    return;
  }
  for (const [key, value] of Object.entries(input)) {
    const memberPath = childPath(path, key);
    if (!object && !reservedNames.has(key)) checkShape(schema.value, value, memberPath, problems);
    else if (object && Object.hasOwn(schema.entries, key)) {
      checkShape(schema.entries[key], value, memberPath, problems);
    } else problems.push(object ? unknownKey(schema, key, memberPath) : reservedName(key, memberPath));
  }
}

function unknownKey(schema: ObjectSchema, key: string, where: string): ConfigProblem {
  const known = Object.keys(schema.entries).filter((name) => name !== '$schema');
  const problem = { where, expected: 'a known key', received: describeValue(key) };
  const code = ConfigErrorCode.UnknownKey;
  const near = closest(key, known);
  if (near === undefined) return { ...problem, code, expected: `one of ${known.join(', ')}` };
  return { ...problem, code, hint: `did you mean ${describeValue(near)}?` };
}

function reservedName(key: string, where: string): ConfigProblem {
  const expected = 'a name that JavaScript does not reserve';
  return { code: ConfigErrorCode.WrongValue, where, expected, received: describeValue(key) };
}

/** The phrase that says what a schema expects. */
export function expectedBy(schema: Schema): string {
  if (hasWrapped(schema)) return expectedBy(schema.wrapped);
  return 'message' in schema && typeof schema.message === 'string' ? schema.message : schema.expects;
}

/** The phrase for the member of an object schema at `key`. */
export function expectedAt(schema: Schema, keys: readonly (string | number)[]): string {
  let at: Schema = schema;
  for (const key of keys) {
    while (hasWrapped(at)) at = at.wrapped;
    if (isArraySchema(at)) at = at.item;
    else if (isRecordSchema(at)) at = at.value;
    else if (isObjectSchema(at)) at = at.entries[key];
  }
  return expectedBy(at);
}

type ObjectSchema = Schema & { readonly entries: Readonly<Record<string, Schema>> };

function isObjectSchema(schema: Schema): schema is ObjectSchema {
  return schema.type === 'strict_object';
}

function isRecordSchema(schema: Schema): schema is Schema & { readonly value: Schema } {
  return schema.type === 'record';
}

function isArraySchema(schema: Schema): schema is Schema & { readonly item: Schema } {
  return schema.type === 'array';
}

function isUnionSchema(schema: Schema): schema is Schema & { readonly options: readonly Schema[] } {
  return schema.type === 'union';
}

function hasWrapped(schema: Schema): schema is Schema & { readonly wrapped: Schema } {
  return schema.type === 'optional';
}
