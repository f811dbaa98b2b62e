/**
 * Runs exchanges through the stack named by the field `x-stack`, or by `stack` in the query, such as
 * `native/etag,legacy/compression`, outermost first. With `express` as the last name a legacy application is
 * below it, otherwise a native one.
 */
import type { Application, Exchange } from '../../workers/gateway.ts';
import { respondText } from '../site/routing.ts';
import { FORMS, stackOf, stopWorkers } from './catalogue.ts';
import innermost from './innermost.ts';
import innermostLegacy from './innermost-legacy.ts';

export const MAX_LAYERS = 16;
/** The number of assembled stacks that are kept: more than a person tries, fewer than a peer can name. */
export const MAX_STACKS = 256;

const stacks = new Map<string, Application>();

export { stopWorkers as stopRunning };

export function runStack(exchange: Exchange): void | Promise<void> {
  const names = exchange.request.fields.get('x-stack') ?? queryOf(exchange).get('stack') ?? '';
  const application = stacks.get(names) ?? put(names);
  if (typeof application === 'string') return respondText(exchange, 400, application);
  return application(exchange);
}

function queryOf({ request: { path } }: Exchange): URLSearchParams {
  const at = path.indexOf('?');
  return new URLSearchParams(at === -1 ? '' : path.slice(at));
}

/** @returns the stack around the innermost application, or what is wrong with its names */
function put(names: string): Application | string {
  const forms = names.split(',').filter((name) => name !== '');
  if (forms.length > MAX_LAYERS) return `At most ${MAX_LAYERS} layers, ${forms.length} were named.\n`;
  const isLegacy = forms.at(-1) === 'express';
  const stack = stackOf(isLegacy ? forms.slice(0, -1) : forms);
  if (typeof stack === 'string') return `There is no ${stack}. There are:\n${FORMS.join('\n')}\n`;
  const [oldest] = stacks.keys();
  if (stacks.size >= MAX_STACKS && oldest !== undefined) stacks.delete(oldest);
  const application = stack(isLegacy ? innermostLegacy : innermost);
  stacks.set(names, application);
  return application;
}
