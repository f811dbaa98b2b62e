/** Kinds of applications, seen by their shape. */
import { createServer } from 'node:http';
import test from 'ava';
import connect from 'connect';
import express from 'express';
import { fastify } from 'fastify';
import { H3 } from 'h3';
import { Hono } from 'hono';
import Koa from 'koa';
import { canBe, describeValue, kindOf } from '../../workers/loading/kinds.ts';

const shapes: readonly [what: string, value: unknown, kind: string | null][] = [
  ['a function of an exchange', (_exchange: unknown) => undefined, 'exchange'],
  ['an async generator function', async function* () {}, 'generator'],
  ['a handler object', { onHeaders() {} }, 'handler'],
  [
    'a handler class',
    class {
      onHeaders() {}
    },
    'handler',
  ],
  ['a Node handler', (_req: unknown, _res: unknown) => undefined, 'node'],
  ['an Express application', express(), 'node'],
  ['a Connect application', connect(), 'node'],
  ['a Koa application', new Koa(), 'node'],
  ['a Fastify instance', fastify(), 'server'],
  ['a server of node:http', createServer(), 'server'],
  ['a Hono application', new Hono(), 'fetch'],
  ['an h3 application', new H3(), 'fetch'],
  ['an object with fetch', { fetch: () => new Response() }, 'fetch'],
  ['an object with nothing', {}, null],
  ['a class without onHeaders', class App {}, null],
  ['nothing', undefined, null],
];

for (const [what, value, kind] of shapes) {
  test(`${what} is ${kind === null ? 'no application' : `of the kind ${kind}`}`, (t) => {
    t.is(kindOf(value), kind as never);
    if (kind !== null) t.true(canBe(kind as never, value));
    else t.false(canBe('exchange', value));
  });
}

test('what was found is described for whoever expected something else', (t) => {
  t.is(
    describeValue(function named(_a: unknown) {}),
    'a function named named of 1 parameter',
  );
  t.is(describeValue({ a: 1 }), 'an object with a');
  t.is(describeValue(null), 'null');
  t.is(describeValue(class App {}), 'a class named App, which is no handler without a method onHeaders');
});
