/** Recognises the kind of an application by its shape. */
import type { ApplicationKind } from '../gateway.ts';

export const KINDS: readonly ApplicationKind[] = [
  'exchange',
  'generator',
  'handler',
  'node',
  'server',
  'fetch',
];

/**
 * The kind of a value; null if it is not an application. Known members decide before the number of parameters
 * does.
 */
export function kindOf(value: unknown): ApplicationKind | null {
  if (isHandler(value)) return 'handler';
  if (isGenerator(value)) return 'generator';
  // A Koa application has `listen` and `listeners` as a server has; `callback` tells them apart.
  if (typeof value === 'object' && hasMethod(value, 'callback')) return 'node';
  if (isServer(value)) return 'server';
  if (hasMethod(value, 'fetch')) return 'fetch';
  if (typeof value !== 'function' || isClass(value)) return null;
  // Express and Connect applications have `handle`; other handlers take (req, res) or (req, res, next).
  if (hasMethod(value, 'handle') || value.length > 1) return 'node';
  return takesRest(value) ? null : 'exchange';
}

/** Written as one: to call it throws. */
function isClass(value: object): boolean {
  return Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false;
}

/** `(...args) => handler(...args)` has length 0 and may be of any kind. */
function takesRest(value: object): boolean {
  return /^(?:async\b\s*)?(?:function\b[^(]*)?\(\s*\.\.\./.test(Function.prototype.toString.call(value));
}

/** Whether a value fits the kind that the configuration states. */
export function canBe(kind: ApplicationKind, value: unknown): boolean {
  switch (kind) {
    case 'handler':
      return isHandler(value);
    case 'server':
      return isServer(value);
    case 'fetch':
      return isCallable(value) || hasMethod(value, 'fetch');
    case 'node':
      return isCallable(value) || hasMethod(value, 'callback');
    case 'generator':
    case 'exchange':
      return isCallable(value);
  }
}

function isCallable(value: unknown): boolean {
  return typeof value === 'function' && !isClass(value);
}

function isHandler(value: unknown): boolean {
  return (
    hasMethod(value, 'onHeaders') ||
    hasMethod((value as { prototype?: unknown } | null | undefined)?.prototype, 'onHeaders')
  );
}

function isGenerator(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object AsyncGeneratorFunction]';
}

/** A node:http server, or a Fastify instance, which has one. */
export function isServer(value: unknown): boolean {
  return (
    (typeof value === 'object' && hasMethod(value, 'listen') && hasMethod(value, 'listeners')) ||
    isFastify(value)
  );
}

export function isFastify(
  value: unknown,
): value is { ready(): Promise<unknown>; close(): Promise<unknown>; readonly server: object } {
  return hasMethod(value, 'routing') && hasMethod(value, 'ready') && 'server' in (value as object);
}

export function hasMethod(value: unknown, name: string): boolean {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return isObject && typeof (value as { [name: string]: unknown })[name] === 'function';
}

/** Describes a value for an error that expected something else. */
export function describeValue(value: unknown): string {
  if (typeof value === 'function') {
    const { length, name } = value;
    if (isClass(value))
      return `a class${name === '' ? '' : ` named ${name}`}, which is no handler without a method onHeaders`;
    if (takesRest(value))
      return 'a function of any number of parameters, which may be of each kind that is a function: state its `kind`';
    return `a function ${name === '' ? '' : `named ${name} `}of ${length} ${length === 1 ? 'parameter' : 'parameters'}`;
  }
  if (typeof value !== 'object' || value === null) return String(value);
  const keys = Object.keys(value).slice(0, 8).join(', ');
  const { name } = value.constructor ?? {};
  return `${name === undefined || name === 'Object' ? 'an object' : `an instance of ${name}`} with ${keys || 'nothing of its own'}`;
}
