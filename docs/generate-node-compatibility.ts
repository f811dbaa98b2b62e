/**
 * Writes the tables of `node-compatibility.md` from `node-members.json`: `npx node docs/generate-node-compatibility.ts`. The prose around
 * them is written by hand. What the tables say is held against Node on live requests by `test/adapters/node/members.test.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * `differs`: it exists and means something else; `nothing`: it exists and has no effect; `refused`: a call fails the exchange with
 * a coded error; `absent`: it is missing; `own`: a member of the server that the module made, without effect; `never`: the event is not emitted.
 */
export type How = 'differs' | 'nothing' | 'refused' | 'absent' | 'own' | 'never';
export type Over = '1.1' | 'tls' | '2.0';

export interface Difference {
  readonly how: How;
  readonly why: string;
  /** Where Node has it; everywhere by default. */
  readonly over?: readonly Over[];
}

export interface Part {
  readonly asNode: readonly string[];
  readonly others: { readonly [name: string]: Difference };
}

export interface Described {
  readonly members: Part;
  readonly events: Part;
}

const source = new URL('./node-members.json', import.meta.url);
export const page = new URL('./node-compatibility.md', import.meta.url);
export const described: { readonly [object: string]: Described } = JSON.parse(readFileSync(source, 'utf8'));

const WORDS: Readonly<Record<How, string>> = {
  differs: 'differs',
  nothing: 'no effect',
  refused: 'refused',
  absent: 'missing',
  own: 'no effect',
  never: 'not emitted',
};
const PLACES: Readonly<Record<Over, string>> = { '1.1': 'HTTP/1.1', tls: 'TLS', '2.0': 'HTTP/2' };

/** The text with every table between `<!-- generated: NAME -->` and `<!-- end -->` made anew. */
export function withTables(text: string): string {
  return text.replaceAll(/(<!-- generated: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g, (_all, begin, name, end) => {
    const { members, events } = described[name] as Described;
    return `${begin}\n${partOf(name === 'options' ? 'option' : 'member', members)}${partOf('event', events)}${end}`;
  });
}

function partOf(what: string, { asNode, others }: Part): string {
  const names = Object.keys(others);
  if (asNode.length + names.length === 0) return '';
  const rows = grouped(others).map(
    ([group, { how, why, over }]) => `| ${group} | ${WORDS[how]} | ${why}${placesOf(over)} |`,
  );
  const table = rows.length === 0 ? '' : `| ${what} | | |\n| --- | --- | --- |\n${rows.join('\n')}\n\n`;
  const same = asNode.map(code).join(', ');
  const whats = `${what[0]?.toUpperCase()}${what.slice(1)}s`;
  return `${table}${whats} that are as on Node: ${same === '' ? 'none' : same}.\n\n`;
}

/** Members of which the same is to be said share a row. */
function grouped(others: Part['others']): [names: string, Difference][] {
  const rows = new Map<string, { names: string[]; difference: Difference }>();
  for (const [name, difference] of Object.entries(others)) {
    const row = rows.get(JSON.stringify(difference));
    if (row === undefined) rows.set(JSON.stringify(difference), { names: [name], difference });
    else row.names.push(name);
  }
  return [...rows.values()].map(({ names, difference }) => [names.map(code).join(', '), difference]);
}

function placesOf(over: readonly Over[] | undefined): string {
  return over === undefined ? '' : ` (${over.map((each) => PLACES[each]).join(', ')})`;
}

function code(name: string): string {
  return `\`${name}\``;
}

if (import.meta.main) writeFileSync(page, withTables(readFileSync(page, 'utf8')));
