/**
 * For commands that ask the servers of a configuration, over their control sockets. During an upgrade there are several, and one of them may end
 * or hang at any moment: the others are asked all the same, and the command says which one did not answer.
 */
import type { Config } from '../config/config.ts';
import type { ControlClient } from '../control/client.ts';
import { ControlRefusal, ControlSocketError } from '../control/errors.ts';
import { type FindOptions, type FoundServers, findServers } from '../control/find.ts';
import { ExitCode } from './exit-code.ts';

/** What leads to the servers of a configuration. */
export type AskedConfig = Pick<Config, 'file' | 'control'>;

/** Output and exit code of a command. */
export interface Answer {
  readonly exitCode: ExitCode;
  /** For standard output. */
  readonly text: string;
  /** For standard error. */
  readonly complaints?: readonly string[];
}

export type Refused = ControlSocketError | ControlRefusal;

/** Something was done only in part; the message says what. Further servers are not asked for it. */
export class DoneInPart extends Error {}

export interface Wording {
  /** Before a complaint, such as "not stopped: ". */
  readonly prefix?: string;
  readonly exitCode?: (code: string) => ExitCode;
}

export interface Printing {
  /** Writes to standard output at once. What has been done is shown even if what follows fails. */
  print(text: string): void;
  readonly isJson?: boolean;
}

export function failed(complaint: string, exitCode: ExitCode = ExitCode.Failed): Answer {
  return { exitCode, text: '', complaints: [complaint] };
}

/** @param ask gets the servers, at least one; their clients are closed afterwards */
export async function askServers(
  config: AskedConfig,
  ask: (found: FoundServers) => Promise<Answer>,
  find: FindOptions = {},
  wording: Wording = {},
): Promise<Answer> {
  let clients: readonly ControlClient[] = [];
  try {
    const found = await findServers(config, find);
    clients = found.clients;
    return await ask(found);
  } catch (error) {
    if (!isRefused(error)) throw error;
    return failed(complaintOf(error, wording), wording.exitCode?.(error.code));
  } finally {
    for (const client of clients) client.close();
  }
}

/**
 * Asks the servers one after the other.
 * With several of them, the path of the socket precedes each answer, unless that is JSON.
 * @param ask resolves with text for standard output
 */
export async function inTurn(
  found: FoundServers,
  { print, isJson = false }: Printing,
  ask: (client: ControlClient) => Promise<string>,
  wording: Wording = {},
): Promise<Answer> {
  const complaints = new Complaints(found, wording);
  const { clients } = found;
  for (const [index, client] of clients.entries()) {
    if (complaints.areSeveral && !isJson) print(`${client.path}\n`);
    try {
      print(await ask(client));
    } catch (error) {
      complaints.add(error, client.path);
      const rest = clients.slice(index + 1).map(({ path }) => path);
      if (!wouldFailAgain(error) || rest.length === 0) continue;
      complaints.say(`not asked because of that: ${rest.join(', ')}`);
      break;
    }
  }
  return complaints.answer('');
}

/** Asks the servers at the same time. @param ask resolves with text for standard output */
export async function together(
  found: FoundServers,
  ask: (client: ControlClient) => Promise<string>,
  wording: Wording = {},
): Promise<Answer> {
  const complaints = new Complaints(found, wording);
  const answers = await Promise.allSettled(found.clients.map(ask));
  let text = '';
  for (const [index, answer] of answers.entries()) {
    if (answer.status === 'fulfilled') text += answer.value;
    else complaints.add(answer.reason, found.clients[index]?.path ?? '');
  }
  return complaints.answer(text);
}

export function isRefused(error: unknown): error is Refused {
  return error instanceof ControlSocketError || error instanceof ControlRefusal;
}

/** An application or a configuration that one server refuses is on the disk for all of them. */
function wouldFailAgain(error: unknown): boolean {
  return error instanceof DoneInPart || (error instanceof ControlRefusal && error.status === 422);
}

/** @param path of the server, if there are several */
export function complaintOf({ message, code }: Refused, { prefix = '' }: Wording = {}, path = ''): string {
  const where = path === '' || message.startsWith(path) ? '' : `${path}: `;
  // Each problem of a configuration has its code already.
  return `${prefix}${where}${message}${message.endsWith(`[${code}]`) ? '' : ` [${code}]`}`;
}

class Complaints {
  readonly areSeveral: boolean;
  readonly #wording: Wording;
  readonly #all: string[] = [];
  #exitCode: ExitCode = ExitCode.Ok;

  constructor({ clients, unreached }: FoundServers, wording: Wording) {
    this.areSeveral = clients.length + unreached.length > 1;
    this.#wording = wording;
    for (const { path, why } of unreached) this.add(why, path);
  }

  /** @throws anything else than what a server, or its absence, says */
  add(error: unknown, path: string): void {
    if (error instanceof DoneInPart) this.say(error.message);
    else if (isRefused(error)) {
      const code = this.#wording.exitCode?.(error.code);
      this.say(complaintOf(error, this.#wording, this.areSeveral ? path : ''), code);
    } else throw error;
  }

  say(text: string, exitCode: ExitCode = ExitCode.Failed): void {
    this.#all.push(text);
    if (this.#exitCode === ExitCode.Ok) this.#exitCode = exitCode;
  }

  answer(text: string): Answer {
    return { exitCode: this.#exitCode, text, complaints: this.#all };
  }
}
