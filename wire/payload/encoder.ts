/**
 * Encodes a value with the semantics of a structured clone. Nothing is changed silently: a value that is not plain data is refused, and the
 * error names its path. The forms are in forms.ts.
 *
 * One pass checks and writes. Two passes would call each getter twice, and the second call may return another value. msgpackr cannot be
 * used: it writes a Set as an empty array, and it keeps its target in a variable of its module.
 *
 * A built-in object is what its internal slots say (slots.ts), as in a structured clone: an instance of a class that extends Map is carried
 * as a Map.
 *
 * It differs from a structured clone on purpose: a view carries only the bytes that it shows; an error keeps its name, code and data,
 * whatever its class is; instances of classes that extend nothing built-in, a RegExp, a boxed primitive and a Blob are refused; properties
 * of an array that are not elements are dropped, because finding them would cost more than encoding the elements.
 */

import { types } from 'node:util';
import { describeError, MAX_ERRORS, MAX_NAME_CHARS } from '../error-report.ts';
import { Extension, Marker, PayloadError, PayloadErrorCode, type PayloadLimits } from './forms.ts';
import { guarded, isArraySafely, isErrorObject, isPlainElsewhere, nameOf } from './guarded.ts';
import { MetObjects } from './met-objects.ts';
import {
  BYTES_KIND,
  bufferOf,
  bytesOfBuffer,
  bytesOfView,
  entriesOf,
  kindOfView,
  sizeOfMap,
  sizeOfSet,
  timeOf,
  unsentKind,
  valuesOf,
} from './slots.ts';
import { HEAD_BYTES, PayloadWriter } from './writer.ts';

const {
  isProxy,
  isMap,
  isSet,
  isDate,
  isNativeError,
  isArrayBuffer,
  isSharedArrayBuffer,
  isGeneratorObject,
} = types;

/** Properties that an error's encoding holds in places of their own. */
const REPORTED = new Set(['name', 'message', 'stack', 'code', 'cause', 'errors']);
const MAX_ERROR_DATA = 64;
/** Up to this many objects, a linear search for an object is faster than a Map. */
const FEW_OBJECTS = 12;

export class PayloadEncoder extends PayloadWriter {
  /** True while a value is encoded, and as long as its user says so. A getter that is called meanwhile must use another encoder. */
  isBusy = false;
  #limits!: PayloadLimits;
  #root = '';
  /** The path to the current value: keys and indexes, up to `#depth`. */
  readonly #keys: (string | number)[] = [];
  #depth = -1;
  readonly #objects = new MetObjects();
  /** The places of the objects, used once there are more than `FEW_OBJECTS`: a Map gives each object an identity hash, which costs time. */
  readonly #places = new Map<object, number>();
  #references = 0;
  #errors = 0;

  /** @throws PayloadError; @param root what the value is called in a path */
  encode(value: unknown, root: string, limits: PayloadLimits): void {
    this.#begin(root, limits);
    try {
      this.#value(value, 0);
    } catch (error) {
      throw this.#failure(error);
    } finally {
      this.#end();
    }
  }

  /** As `encode`, for an array that its caller has just made. @throws PayloadError */
  encodeList(values: readonly unknown[], root: string, limits: PayloadLimits): void {
    this.#begin(root, limits);
    try {
      this.#meet(values);
      this.#array(values, 0);
    } catch (error) {
      throw this.#failure(error);
    } finally {
      this.#end();
    }
  }

  /** Encodes any thrown value as an error. It never fails because of the value's content: parts that cannot be sent are left out. */
  encodeThrown(thrown: unknown, limits: PayloadLimits): void {
    this.#begin('error', limits);
    try {
      this.#error(thrown, 0);
    } catch (error) {
      throw this.#failure(error);
    } finally {
      this.#end();
    }
  }

  #begin(root: string, limits: PayloadLimits): void {
    this.isBusy = true;
    this.begin(limits.maxBytes);
    this.#limits = limits;
    this.#root = root;
    this.#depth = -1;
    this.#references = 0;
    this.#errors = 0;
  }

  #failure(error: unknown): PayloadError {
    if (error instanceof PayloadError) return error;
    // A getter of the value has thrown, or has exhausted the stack.
    return new PayloadError(
      PayloadErrorCode.Invalid,
      this.#path(),
      `${this.#path()}: expected a value that can be read, and reading it threw`,
      { cause: error },
    );
  }

  #end(): void {
    this.#objects.clear();
    if (this.#places.size > 0) this.#places.clear();
    this.isBusy = false;
  }

  /** The object's number within the payload; -1: it has not been encoded yet. */
  #placeOf(object: object): number {
    const objects = this.#objects;
    return objects.count > FEW_OBJECTS ? (this.#places.get(object) ?? -1) : objects.placeOf(object);
  }

  #meet(object: object): void {
    const objects = this.#objects;
    const place = objects.count;
    objects.add(object);
    if (place < FEW_OBJECTS) return;
    if (place === FEW_OBJECTS) for (let i = 0; i < place; i++) this.#places.set(objects.at(i) as object, i);
    this.#places.set(object, place);
  }

  /** Forgets all objects after the first `count`. */
  #forget(count: number): void {
    const objects = this.#objects;
    for (let place = count; place < objects.count; place++) this.#places.delete(objects.at(place) as object);
    objects.cut(count);
    if (count <= FEW_OBJECTS) this.#places.clear();
  }

  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'string':
        this.writeString(value);
        return;
      case 'number':
        this.writeNumber(value);
        return;
      case 'boolean':
        this.writeByte(value ? 0xc3 : 0xc2);
        return;
      case 'undefined':
        this.writeFixext1(Extension.Undefined, 0);
        return;
      case 'bigint':
        this.writeBigint(value);
        return;
      case 'object':
        if (value === null) this.writeByte(0xc0);
        else this.#object(value, depth);
        return;
      default:
        this.#refuse(`a ${typeof value}`);
    }
  }

  #object(value: object, depth: number): void {
    if (depth >= this.#limits.maxDepth) {
      this.#refuse(`more than ${this.#limits.maxDepth} objects within each other`);
    }
    const seen = this.#placeOf(value);
    if (seen !== -1) {
      this.#reference(seen);
      return;
    }
    if (isProxy(value)) this.#refuse('a Proxy');
    this.#meet(value);
    if (Array.isArray(value)) {
      this.#array(value, depth);
      return;
    }
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype && !ArrayBuffer.isView(value)) {
      const keys = Object.keys(value);
      // With properties it is what its prototype says. To look for the slots of each such object would make a small one a quarter
      // dearer, and what has slots seldom has properties. Only of a view each element is one.
      if (keys.length > 0) {
        this.#plain(value, keys, depth);
        return;
      }
    }
    if (this.#builtIn(value, depth)) return;
    const isPlain = prototype === Object.prototype || prototype === null || isPlainElsewhere(prototype);
    const unsent = isPlain || isGeneratorObject(value) ? unsentKind(value) : nameOf(prototype);
    if (unsent !== null) this.#refuse(unsent);
    this.#plain(value, Object.keys(value), depth);
  }

  /** False: it has no slots that are carried. */
  #builtIn(value: object, depth: number): boolean {
    if (ArrayBuffer.isView(value)) this.#bufferView(value);
    else if (isDate(value)) this.writeFixext8(Extension.Date, timeOf(value));
    else if (isMap(value)) this.#map(value, depth);
    else if (isSet(value)) this.#set(value, depth);
    else if (isArrayBuffer(value)) this.#arrayBuffer(value);
    else if (isNativeError(value)) this.#errorAmongData(value, depth);
    else if (isSharedArrayBuffer(value)) this.#refuse('a SharedArrayBuffer');
    else return false;
    return true;
  }

  #plain(value: object, keys: readonly string[], depth: number): void {
    const count = keys.length;
    this.writeHead(0x80, 0xde, count);
    for (let i = 0; i < count; i++) {
      const key = keys[i] as string;
      this.#keys[depth] = key;
      this.#depth = depth;
      // Code that copies the properties of the object would set a prototype.
      if (key === '__proto__') this.#refuse('a property of this name');
      this.writeString(key);
      this.#value((value as Record<string, unknown>)[key], depth + 1);
    }
  }

  #array(value: readonly unknown[], depth: number): void {
    const count = value.length;
    this.writeHead(0x90, 0xdc, count);
    for (let i = 0; i < count; i++) {
      this.#keys[depth] = i;
      this.#depth = depth;
      const element = value[i];
      if (element === undefined && !(i in value)) this.writeFixext1(Extension.Hole, 0);
      else this.#value(element, depth + 1);
    }
  }

  /** A getter among its elements has changed it. @param depth of the elements */
  #refuseChanging(what: string, depth: number): never {
    this.#depth = depth - 1;
    this.#refuse(`${what} that changes while it is read`);
  }

  #map(value: object, depth: number): void {
    const count = sizeOfMap(value);
    this.writeHead(0x90, 0xdc, 2 * count + 1);
    this.writeFixext1(Extension.Marker, Marker.Map);
    let index = 0;
    for (const [key, element] of entriesOf(value)) {
      if (index >= count) this.#refuseChanging('a Map', depth);
      this.#keys[depth] = index++;
      this.#depth = depth;
      this.#value(key, depth + 1);
      this.#depth = depth;
      this.#value(element, depth + 1);
    }
    if (index < count) this.#refuseChanging('a Map', depth);
  }

  #set(value: object, depth: number): void {
    const count = sizeOfSet(value);
    this.writeHead(0x90, 0xdc, count + 1);
    this.writeFixext1(Extension.Marker, Marker.Set);
    let index = 0;
    for (const element of valuesOf(value)) {
      if (index >= count) this.#refuseChanging('a Set', depth);
      this.#keys[depth] = index++;
      this.#depth = depth;
      this.#value(element, depth + 1);
    }
    if (index < count) this.#refuseChanging('a Set', depth);
  }

  #bufferView(value: ArrayBufferView): void {
    if (isSharedArrayBuffer(bufferOf(value))) this.#refuse('a view of a SharedArrayBuffer');
    const source = bytesOfView(value);
    if (source === null) this.#refuse('a view whose memory has been transferred or has shrunk');
    const { byteLength } = source;
    const kind = kindOfView(value);
    if (kind === undefined) this.#refuse(nameOf(Object.getPrototypeOf(value)));
    this.ensure(HEAD_BYTES + byteLength);
    if (kind === BYTES_KIND) this.writeLengthHead(0xc4, byteLength);
    else {
      this.writeLengthHead(0xc7, byteLength + 1);
      this.bytes[this.length++] = Extension.View;
      this.bytes[this.length++] = kind;
    }
    this.bytes.set(source, this.length);
    this.length += byteLength;
  }

  #arrayBuffer(value: ArrayBuffer): void {
    const source = bytesOfBuffer(value);
    if (source === null) this.#refuse('an ArrayBuffer whose memory has been transferred');
    const { byteLength } = source;
    this.ensure(HEAD_BYTES + byteLength);
    this.writeLengthHead(0xc7, byteLength);
    this.bytes[this.length++] = Extension.ArrayBuffer;
    this.bytes.set(source, this.length);
    this.length += byteLength;
  }

  /** Each error among the data has its own budget for causes and aggregated errors. */
  #errorAmongData(error: Error, depth: number): void {
    const outside = this.#errors;
    this.#errors = 0;
    this.#reportedError(error, depth);
    this.#errors = outside;
  }

  /** Encodes an error that the payload does not contain yet. */
  #error(thrown: unknown, depth: number): void {
    this.#meet(Object(thrown) as object);
    this.#reportedError(thrown, depth);
  }

  /** Reads of an error's properties are guarded, and properties that no message can carry are left out. */
  #reportedError(thrown: unknown, depth: number): void {
    this.#errors++;
    const { name, message, stack, code } = describeError(thrown, this.#limits.maxErrorChars);
    this.writeHead(0x90, 0xdc, 8);
    this.writeFixext1(Extension.Marker, Marker.Error);
    this.writeString(name);
    this.writeString(message);
    this.writeString(stack);
    if (code === undefined) this.writeByte(0xc0);
    else this.writeString(code);
    const object = typeof thrown === 'object' && thrown !== null ? thrown : {};
    this.#keys[depth] = 'cause';
    this.#errorOrData(guarded(object, 'cause'), depth);
    this.#aggregated(guarded(object, 'errors'), depth);
    this.#errorData(object, depth);
  }

  #errorOrData(value: unknown, depth: number): void {
    this.#depth = depth;
    if (typeof value !== 'object' || value === null || !isErrorObject(value)) {
      this.#orUndefined(value, depth);
      return;
    }
    const seen = this.#placeOf(value);
    // Deeper causes are left out, so that the error itself still arrives.
    if (seen !== -1) this.#reference(seen);
    else if (this.#errors >= MAX_ERRORS || depth + 1 >= this.#limits.maxDepth)
      this.writeFixext1(Extension.Undefined, 0);
    else this.#error(value, depth + 1);
  }

  #aggregated(errors: unknown, depth: number): void {
    if (!isArraySafely(errors)) {
      this.writeByte(0xc0);
      return;
    }
    const length = Number(guarded(errors, 'length')) || 0;
    const count = Math.min(length, Math.max(0, MAX_ERRORS - this.#errors));
    this.writeHead(0x90, 0xdc, count);
    for (let i = 0; i < count; i++) {
      this.#keys[depth] = i;
      this.#errorOrData(guarded(errors, i), depth);
    }
  }

  #errorData(error: object, depth: number): void {
    const data = Object.create(null) as Record<string, unknown>;
    try {
      for (const key of Object.keys(error).slice(0, MAX_ERROR_DATA)) {
        if (!REPORTED.has(key) && key.length <= MAX_NAME_CHARS && key !== '__proto__') {
          data[key] = guarded(error, key);
        }
      }
    } catch {
      // A trap of a Proxy threw: the error has no data that could be listed.
    }
    const keys = Object.keys(data);
    this.writeHead(0x80, 0xde, keys.length);
    for (const key of keys) {
      this.#keys[depth] = key;
      this.writeString(key);
      this.#orUndefined(data[key], depth);
    }
  }

  /** Writes undefined in place of a value that is not plain data, because the rest of the error is worth more. */
  #orUndefined(value: unknown, depth: number): void {
    const { length } = this;
    const met = this.#objects.count;
    const [references, errors] = [this.#references, this.#errors];
    this.#depth = depth;
    try {
      this.#value(value, depth + 1);
    } catch (error) {
      if (error instanceof PayloadError && error.code === PayloadErrorCode.TooLarge) throw error;
      this.length = length;
      this.#references = references;
      this.#errors = errors;
      this.#forget(met);
      this.writeFixext1(Extension.Undefined, 0);
    }
  }

  #reference(index: number): void {
    if (++this.#references > this.#limits.maxReferences) {
      this.#refuse(`more than ${this.#limits.maxReferences} references to objects met before`);
    }
    this.writeFixext4(Extension.Reference, index);
  }

  protected override tooLarge(maxBytes: number): PayloadError {
    const path = this.#path();
    return new PayloadError(
      PayloadErrorCode.TooLarge,
      path,
      `${path}: expected a message of at most ${maxBytes} bytes, and it has more`,
    );
  }

  #path(): string {
    let path = this.#root;
    for (let i = 0; i <= this.#depth; i++) path += step(this.#keys[i] as string | number);
    return path;
  }

  #refuse(got: string): never {
    const path = this.#path();
    throw new PayloadError(PayloadErrorCode.Invalid, path, `${path}: expected plain data, got ${got}`);
  }
}

const MOST_KEY_CHARS = 64;

function step(key: string | number): string {
  if (typeof key === 'number') return `[${key}]`;
  if (/^[A-Za-z_$][\w$]*$/.test(key) && key.length <= MOST_KEY_CHARS) return `.${key}`;
  return `[${JSON.stringify(key.slice(0, MOST_KEY_CHARS))}]`;
}
