/**
 * Calls, reads and sets members of `req`, `res` and their socket in a timer, with whatever arguments, and tells what that threw. It runs on
 * node:http and on Sluice, and must not end a thread where it would not end Node.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';

/** Of the response, when the timer comes. */
export const MOMENTS = ['before', 'begun', 'ended', 'cut'] as const;
export const OBJECTS = ['req', 'res', 'socket'] as const;
/** Of a server of node:http2. */
export const OBJECTS_OF_HTTP2 = ['stream', 'session'] as const;

/** What each way of using a member has thrown; empty: nothing. */
export type Told = { readonly [way: string]: string };

/** What a method is called with. */
const calls: { readonly [way: string]: (req: IncomingMessage) => readonly unknown[] } = {
  nothing: () => [],
  socket: (req) => [req.socket],
  null: () => [null],
  word: () => ['x'],
  'word and function': () => ['x', () => undefined],
  'words and function': () => ['x', 'y', () => undefined],
  error: () => [new Error('enough')],
};
/** What is done to anything else. */
const uses = ['get', 'set'];

/**
 * With other arguments than they expect, `connect` of Node 22 and `altsvc` of a session end the process in native code; Sluice refuses
 * them, as members.test.ts holds.
 */
const LEFT_OUT = new Set(['constructor', 'connect', 'altsvc']);

type Members = { [member: string]: unknown };

/** By `/RUN/MOMENT/OBJECT/MEMBER/WAY`. */
const outcomes = new Map<string, PromiseWithResolvers<string>>();

function outcomeOf(what: string): PromiseWithResolvers<string> {
  const known = outcomes.get(what) ?? Promise.withResolvers<string>();
  outcomes.set(what, known);
  return known;
}

/** The public members of an object, and how each is used. */
export function membersOf(object: object): { [member: string]: readonly string[] } {
  const members: { [member: string]: readonly string[] } = {};
  for (let of = object; of !== Object.prototype; of = Object.getPrototypeOf(of)) {
    for (const name of Object.getOwnPropertyNames(of)) {
      if (name[0] === '_' || LEFT_OUT.has(name)) continue;
      // Who takes a method away takes it from Node as well, so methods are called and nothing else.
      members[name] = typeof (object as Members)[name] === 'function' ? Object.keys(calls) : uses;
    }
  }
  return members;
}

function use(object: Members, member: string, way: string, req: IncomingMessage): void {
  if (way === 'get') void object[member];
  else if (way === 'set') object[member] = null;
  else if (typeof object[member] === 'function') {
    const given: unknown = Reflect.apply(object[member], object, (calls[way] as (typeof calls)[string])(req));
    if (typeof given !== 'object' || given === null || given === object) return;
    // What it gives may fail later, and its caller would see to that.
    if (given instanceof Promise) given.catch(() => undefined);
    else if ('on' in given) (given as ServerResponse).on('error', () => undefined);
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? (error as Error).name;

/** `/RUN/MOMENT/OBJECT/MEMBER/WAY`; `/members/OBJECT`; and `/told/RUN/MOMENT/OBJECT/MEMBER?WAY&WAY`, which waits for them. */
export function handler(req: IncomingMessage, res: ServerResponse): void {
  const [path = '', query = ''] = (req.url ?? '').split('?');
  const [, run = '', moment = '', which = '', member = '', way = ''] = decodeURIComponent(path).split('/');
  const { socket } = req;
  const { stream } = req as { readonly stream?: ServerHttp2Stream };
  const session = stream?.session;
  const given: { readonly [object: string]: object } = {
    ...{ req, res, socket },
    ...(stream && session && { stream, session }),
  };
  if (run === 'members') {
    res.end(JSON.stringify(membersOf(given[moment] as object)));
    return;
  }
  if (run === 'told') {
    const asked = decodeURIComponent(query).split('&');
    const told = asked.map(async (each) => [
      each,
      await outcomeOf(`${path.slice('/told'.length)}/${each}`).promise,
    ]);
    void Promise.all(told).then((all) => res.end(JSON.stringify(Object.fromEntries(all))));
    return;
  }
  const step = () => {
    let thrown = '';
    try {
      use(given[which] as Members, member, way, req);
    } catch (error) {
      thrown = codeOf(error);
    }
    // Its author goes on as if nothing had been.
    setTimeout(() => {
      for (const goOn of [
        () => res.write('more'),
        () => res.end('end'),
        () => req.resume(),
        () => (stream ?? socket).destroy(),
      ]) {
        try {
          goOn();
        } catch (error) {
          thrown += ` then ${codeOf(error)}`;
        }
      }
      // What comes of it comes in the next ticks.
      setTimeout(() => outcomeOf(decodeURIComponent(path)).resolve(thrown), 1);
    }, 1);
  };
  const soon = () => setTimeout(step, 1);
  if (moment === 'begun') res.write('begun');
  if (moment === 'ended') res.once('close', soon).end('ended');
  else if (moment === 'cut') (stream ?? socket).once('close', soon).destroy();
  else soon();
}

export default createServer(handler);
