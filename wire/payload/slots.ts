/**
 * Built-in objects by their internal slots, as a structured clone reads them: what a subclass overrides, or another prototype hides, is not
 * asked. The functions that read them are kept from before any code of an application has run.
 */
import { types } from 'node:util';
import { VIEWS } from './forms.ts';

type Getter = (this: unknown) => unknown;

const TypedArray: object = Object.getPrototypeOf(Uint8Array.prototype);

function getterOf(prototype: object, name: string | symbol): Getter {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
  if (get === undefined) throw new TypeError(`expected a getter of ${String(name)}, got none`);
  return get;
}

const mapSize = getterOf(Map.prototype, 'size');
const mapEntries = Map.prototype.entries;
const setSize = getterOf(Set.prototype, 'size');
const setValues = Set.prototype.values;
const dateTime = Date.prototype.getTime;
const isDetached = getterOf(ArrayBuffer.prototype, 'detached');
const viewName = getterOf(TypedArray, Symbol.toStringTag);
const viewBuffer = getterOf(TypedArray, 'buffer');
const viewOffset = getterOf(TypedArray, 'byteOffset');
const viewBytes = getterOf(TypedArray, 'byteLength');
const elementAt = Uint8Array.prototype.at;
const dataBuffer = getterOf(DataView.prototype, 'buffer');
const dataOffset = getterOf(DataView.prototype, 'byteOffset');
const dataBytes = getterOf(DataView.prototype, 'byteLength');

/** By the name of its class: its place among the views. */
const KINDS: ReadonlyMap<unknown, number> = new Map(VIEWS.map((View, kind) => [View.name, kind]));

/** A Uint8Array has a form of its own. */
export const BYTES_KIND = -1;

export function sizeOfMap(map: object): number {
  return Reflect.apply(mapSize, map, []) as number;
}

export function entriesOf(map: object): MapIterator<[unknown, unknown]> {
  return Reflect.apply(mapEntries, map, []);
}

export function sizeOfSet(set: object): number {
  return Reflect.apply(setSize, set, []) as number;
}

export function valuesOf(set: object): SetIterator<unknown> {
  return Reflect.apply(setValues, set, []);
}

export function timeOf(date: object): number {
  return Reflect.apply(dateTime, date, []);
}

/** Undefined: one that no message carries, such as a Float16Array. */
export function kindOfView(view: ArrayBufferView): number | undefined {
  const name = Reflect.apply(viewName, view, []);
  return name === 'Uint8Array' ? BYTES_KIND : KINDS.get(name ?? 'DataView');
}

export function bufferOf(view: ArrayBufferView): ArrayBufferLike {
  return Reflect.apply(isData(view) ? dataBuffer : viewBuffer, view, []) as ArrayBufferLike;
}

/** Its bytes; null: its memory has been transferred, or has shrunk so that the view lies out of bounds. */
export function bytesOfView(view: ArrayBufferView): Uint8Array | null {
  const isDataView = isData(view);
  try {
    // Both throw for what has no memory.
    const byteLength = isDataView ? (Reflect.apply(dataBytes, view, []) as number) : bytesOfArray(view);
    const byteOffset = Reflect.apply(isDataView ? dataOffset : viewOffset, view, []) as number;
    return new Uint8Array(bufferOf(view), byteOffset, byteLength);
  } catch {
    return null;
  }
}

function bytesOfArray(view: ArrayBufferView): number {
  Reflect.apply(elementAt, view, [0]);
  return Reflect.apply(viewBytes, view, []) as number;
}

function isData(view: ArrayBufferView): boolean {
  return Reflect.apply(viewName, view, []) === undefined;
}

/** Its bytes; null: its memory has been transferred. */
export function bytesOfBuffer(buffer: ArrayBuffer): Uint8Array | null {
  return Reflect.apply(isDetached, buffer, []) === true ? null : new Uint8Array(buffer);
}

const UNSENT: readonly (readonly [is: (value: unknown) => boolean, kind: string])[] = [
  [types.isPromise, 'a Promise'],
  [types.isRegExp, 'a RegExp'],
  [types.isBoxedPrimitive, 'a boxed primitive'],
  [types.isWeakMap, 'a WeakMap'],
  [types.isWeakSet, 'a WeakSet'],
  [types.isGeneratorObject, 'a generator'],
  [types.isMapIterator, 'an iterator'],
  [types.isSetIterator, 'an iterator'],
  [types.isModuleNamespaceObject, 'a module'],
  [types.isExternal, 'a native object'],
];

/** What an object is, although it looks like plain data, that no message carries; null: it is plain data. */
export function unsentKind(value: object): string | null {
  for (const [is, kind] of UNSENT) if (is(value)) return kind;
  return Symbol.asyncIterator in value ? 'a stream within data' : null;
}
