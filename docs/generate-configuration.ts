/**
 * Writes the tables of `configuration.md` from what the server itself reads: the published JSON Schema, the settings of the
 * command line, and the error codes. Run it when one of them has changed: `npx node docs/generate-configuration.ts`. The prose
 * around the tables is written by hand; a test holds the tables to their sources.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { commands } from '../runtime/cli/arguments.ts';
import { settings } from '../runtime/cli/settings.ts';
import { formatDuration } from '../runtime/config/duration.ts';

/** The part of JSON Schema that the published file uses. */
interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly unknown[];
  /** A number, or an object that says more. */
  readonly anyOf?: readonly JsonSchema[];
}

export const page = new URL('./configuration.md', import.meta.url);
const schemaFile = new URL('../runtime/config/schema.json', import.meta.url);

/** The text with every table between `<!-- generated: NAME -->` and `<!-- end -->` made anew. */
export function withTables(text: string): string {
  return text.replaceAll(/(<!-- generated: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g, (_all, begin, name, end) => {
    const make = tables[name];
    if (make === undefined)
      throw new Error(`expected one of ${Object.keys(tables).join(', ')}, found ${name}`);
    return `${begin}${make()}\n${end}`;
  });
}

const tables: Readonly<Record<string, () => string>> = {
  commands: () =>
    table(
      ['command', ''],
      Object.entries(commands).map(([name, does]) => [code(`sluice ${name}`), does]),
    ),
  flags: flagTable,
  properties: propertyTables,
};

function flagTable(): string {
  const rows = settings.map(({ name, short, placeholder, variables, description }) => [
    [...(short === undefined ? [] : [`-${short}`]), `--${name} ${placeholder}`.trim()].map(code).join(', '),
    variables.map(code).join(', '),
    description,
  ]);
  return table(['flag', 'variable', ''], rows);
}

function propertyTables(): string {
  const schema: JsonSchema = JSON.parse(readFileSync(schemaFile, 'utf8'));
  return [...sections(schema, '')].join('\n\n');
}

/** A heading and a table for an object, then one for each object in it. */
function* sections(schema: JsonSchema, path: string): Generator<string> {
  const members = Object.entries(schema.properties ?? {});
  if (path !== '') yield `### ${code(path)}\n${prose(schema.description)}`;
  const rows = members.filter(([, member]) => !isPlainSection(member));
  if (isBudgets(members)) {
    yield budgetTable(members);
    return;
  }
  if (rows.length > 0) {
    const isRequired = (name: string) => schema.required?.includes(name) === true;
    yield table(
      ['property', 'value', 'default', ''],
      rows.map(([name, member]) => [
        code(name),
        takes(member),
        isRequired(name) ? 'required' : defaultOf(name, member),
        prose(member.description),
      ]),
    );
  }
  for (const [name, member] of members) yield* inner(member, path === '' ? name : `${path}.${name}`);
}

function* inner(schema: JsonSchema, path: string): Generator<string> {
  for (const option of schema.anyOf ?? []) yield* inner(option, path);
  if (schema.properties !== undefined) yield* sections(schema, path);
  if (schema.items?.properties !== undefined) yield* sections(schema.items, `${path}[]`);
  if (typeof schema.additionalProperties === 'object' && schema.additionalProperties.properties !== undefined)
    yield* sections(schema.additionalProperties, `${path}.NAME`);
}

/** An object that may be left out: its own table says all there is. */
function isPlainSection(schema: JsonSchema): boolean {
  return schema.properties !== undefined && JSON.stringify(schema.default) === '{}';
}

function isBudgets(members: readonly [string, JsonSchema][]): boolean {
  return (
    members.length > 0 && members.every(([, { properties }]) => properties?.burst && properties.perSecond)
  );
}

function budgetTable(members: readonly [string, JsonSchema][]): string {
  const rows = members.map(([name, { properties, description }]) => [
    code(name),
    code(properties?.burst?.default),
    code(properties?.perSecond?.default),
    prose(description),
  ]);
  return table(['budget', code('burst'), code('perSecond'), ''], rows);
}

function takes(schema: JsonSchema): string {
  const { type, minimum, maximum, enum: choices, anyOf } = schema;
  if (anyOf !== undefined) return anyOf.map(takes).join(', or ');
  if (choices !== undefined && type === 'number') return `${choices[0]} to ${choices.at(-1)}, a power of two`;
  if (choices !== undefined) return choices.map((choice) => code(JSON.stringify(choice))).join(', ');
  if (type === 'integer')
    return maximum === Number.MAX_SAFE_INTEGER ? `from ${minimum}` : `${minimum} to ${maximum}`;
  if (type === 'boolean') return '`true`, `false`';
  if (type === 'number') return `${minimum} to ${maximum}`;
  if (type === 'array') return schema.items === undefined ? 'an array' : arrayOf(schema.items);
  return type === 'object'
    ? schema.properties === undefined
      ? typesByName(schema)
      : 'an object, below'
    : 'a string';
}

function arrayOf({ type, enum: choices }: JsonSchema): string {
  if (choices !== undefined) return `of ${choices.map((choice) => code(choice)).join(', ')}`;
  if (type === 'integer') return 'whole numbers';
  return type === 'object' ? 'objects, below' : 'strings';
}

function typesByName({ additionalProperties }: JsonSchema): string {
  return typeof additionalProperties === 'object' && additionalProperties.type === 'string'
    ? 'strings by name'
    : 'objects by name, below';
}

function defaultOf(name: string, { default: value }: JsonSchema): string {
  if (value === undefined) return '';
  const written = code(JSON.stringify(value));
  if (typeof value !== 'number') return written;
  if (/Ms$/.test(name) && value >= 1_000) return `${written} (${formatDuration(value)})`;
  if (/Bytes$/.test(name) && value >= 1_024 && value % 1_024 === 0)
    return `${written} (${formatBytes(value)})`;
  return written;
}

function formatBytes(bytes: number): string {
  return bytes % 1_048_576 === 0 ? `${bytes / 1_048_576} MiB` : `${bytes / 1_024} KiB`;
}

/** A description as Markdown: patterns such as "*.example.org" are no emphasis. */
function prose(description = ''): string {
  return description.replaceAll('*', '\\*');
}

function code(value: unknown): string {
  return `\`${String(value)}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

if (import.meta.main) writeFileSync(page, withTables(readFileSync(page, 'utf8')));
