/**
 * Reads JSON (RFC 8259) and remembers the position of every value, so that an error about a value can name
 * its line and column. `JSON.parse` cannot do this: it drops positions, words its syntax errors differently
 * from one V8 to the next, and silently uses the last of two equal keys.
 *
 * It accepts exactly what `JSON.parse` accepts (a property test holds them together), except that nesting is
 * bounded. Tokens are decoded by `JSON.parse` itself; only the structure is read here.
 */

export interface JsonSource {
  readonly value: unknown;
  /** Where the value at a path starts, for every path in the text. */
  placeOf(path: string): Place | undefined;
  /** Keys that an object carries a second time. */
  readonly duplicates: readonly { readonly path: string; readonly place: Place }[];
}

/** A position in a text file, counted from 1; columns count UTF-16 code units, as editors do. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError';
  readonly place: Place;
  readonly expected: string;
  readonly received: string;

  constructor(place: Place, expected: string, received: string) {
    super(`line ${place.line}, column ${place.column}: expected ${expected}, got ${received}`);
    this.place = place;
    this.expected = expected;
    this.received = received;
  }
}

/** Deeper than any configuration, and far from the end of the stack. */
const maxDepth = 64;

const plainName = /^[A-Za-z_$][\w$-]*$/;

/** The path of a member: `$.pools`, `$.routes[0]`, `$.pools["odd name"]`. */
export function childPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  return plainName.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

/** @throws JsonSyntaxError at the first place where the text stops being JSON. */
export function parseJson(text: string): JsonSource {
  const reader = new Reader(text);
  const value = reader.readDocument();
  return {
    value,
    placeOf: (path) => {
      const offset = reader.offsets.get(path);
      return offset === undefined ? undefined : placeAt(text, offset);
    },
    duplicates: reader.duplicates.map(({ path, offset }) => ({ path, place: placeAt(text, offset) })),
  };
}

function placeAt(text: string, offset: number): Place {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

const space = /[ \t\n\r]*/y;
const stringToken = /"[^"\\]*(?:\\.[^"\\]*)*"/sy;
const numberToken = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const wordToken = /[A-Za-z_$][\w$]*/y;

class Reader {
  readonly offsets = new Map<string, number>();
  readonly duplicates: { path: string; offset: number }[] = [];
  readonly #text: string;
  #offset = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readDocument(): unknown {
    const value = this.#readValue('$');
    this.#skipSpace();
    if (this.#offset < this.#text.length) this.#fail('the end of the file after the value');
    return value;
  }

  #readValue(path: string): unknown {
    this.#skipSpace();
    this.offsets.set(path, this.#offset);
    switch (this.#text[this.#offset]) {
      case '{':
        return this.#nested(() => this.#readObject(path));
      case '[':
        return this.#nested(() => this.#readArray(path));
      case '"':
        return this.#readString('a string');
      default:
        return this.#readNumberOrWord();
    }
  }

  #nested<Value>(read: () => Value): Value {
    this.#depth += 1;
    if (this.#depth > maxDepth) this.#fail(`at most ${maxDepth} levels of nesting`);
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #readObject(path: string): object {
    const object = {};
    this.#offset += 1;
    if (this.#take('}')) return object;
    do {
      this.#skipSpace();
      const keyOffset = this.#offset;
      const key = this.#readString('a property name in double quotes');
      const valuePath = childPath(path, key);
      if (Object.hasOwn(object, key)) this.duplicates.push({ path: valuePath, offset: keyOffset });
      if (!this.#take(':')) this.#fail('":" after the property name');
      // Defined, not assigned: the key "__proto__" must stay a key.
      Object.defineProperty(object, key, {
        value: this.#readValue(valuePath),
        configurable: true,
        enumerable: true,
        writable: true,
      });
    } while (this.#take(','));
    if (!this.#take('}')) this.#fail('"," or "}"');
    return object;
  }

  #readArray(path: string): unknown[] {
    const array: unknown[] = [];
    this.#offset += 1;
    if (this.#take(']')) return array;
    do {
      array.push(this.#readValue(childPath(path, array.length)));
    } while (this.#take(','));
    if (!this.#take(']')) this.#fail('"," or "]"');
    return array;
  }

  #readString(expected: string): string {
    if (this.#text[this.#offset] !== '"') this.#fail(expected);
    const token = this.#match(stringToken);
    if (token === '') this.#fail('a string that ends', 'a string without its closing quote');
    try {
      const value: unknown = JSON.parse(token);
      if (typeof value === 'string') {
        this.#offset += token.length;
        return value;
      }
    } catch {
      // The token has its quotes, so JSON.parse refuses something inside them; the error below names the
      // place.
    }
    return this.#fail(
      'a string with its control characters and backslashes escaped',
      'a line break, a control character or an unknown escape in the string',
    );
  }

  #readNumberOrWord(): unknown {
    const number = this.#match(numberToken);
    if (number !== '') {
      this.#offset += number.length;
      return JSON.parse(number);
    }
    const word = this.#match(wordToken);
    if (word !== 'true' && word !== 'false' && word !== 'null') return this.#fail('a value');
    this.#offset += word.length;
    return JSON.parse(word);
  }

  #take(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#offset] !== character) return false;
    this.#offset += 1;
    return true;
  }

  #skipSpace(): void {
    this.#offset += this.#match(space).length;
  }

  #match(token: RegExp): string {
    token.lastIndex = this.#offset;
    return token.exec(this.#text)?.[0] ?? '';
  }

  #fail(expected: string, received = this.#describeNext()): never {
    throw new JsonSyntaxError(placeAt(this.#text, this.#offset), expected, received);
  }

  #describeNext(): string {
    const character = this.#text[this.#offset];
    if (character === undefined) return 'the end of the file';
    if (character === '/' || character === '#') return `${JSON.stringify(character)} (JSON has no comments)`;
    const word = this.#match(wordToken);
    const shown = JSON.stringify(word === '' ? character : word);
    const before = this.#text.slice(0, this.#offset).trimEnd().at(-1);
    const closes = character === '}' || character === ']';
    return closes && before === ',' ? `${shown} after a comma` : shown;
  }
}
