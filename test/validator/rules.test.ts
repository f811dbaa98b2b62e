/**
 * Every rule of docs/sgi.md is broken once by a case here, or is listed below with the reason why the
 * validator, between the two sides, cannot see it broken.
 */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { applications, servers, tunnelApplications } from './cases.ts';

/** Tested by name, not by a case. */
const APART = new Map([
  ['1.2', 'validate.test.ts: what is used after the function is over'],
  ['9.4', 'validate.test.ts: the handler of a tunnel’s return'],
]);

const UNSEEN = new Map([
  ['1.1', 'words; that a request comes once is between the server and its peer: test/faults/recall.test.ts'],
  ['1.4', 'what becomes of a throw is the server’s answer: test/faults/applications.test.ts'],
  ['1.5', 'about other exchanges: test/attack/isolation.test.ts'],
  ['1.6', 'about what an application believes'],
  ['1.7', 'about other exchanges: test/faults/contexts.test.ts'],
  ['2.5', 'a permission'],
  ['2.6', 'the grammar’s rules 2.1 to 2.4 are refused by the validator itself, before the server could err'],
  ['2.9', 'what it says is refused by rule 2.8, or about what reaches the peer: test/values'],
  ['4.1', 'about memory and WINDOW_UPDATE: test/faults/backpressure.test.ts'],
  ['4.5', 'about what the peer is sent: test/http1/expectations.test.ts, test/server/clients.test.ts'],
  ['5.1', 'about what reaches the peer: test/server/bodies.test.ts'],
  ['5.4', 'about what reaches the peer: test/server/responses.test.ts'],
  ['5.8', 'about what reaches the peer: test/server/responses.test.ts'],
  ['5.10', 'about what reaches the peer: test/http2/flow-control.test.ts'],
  ['5.11', 'about what reaches the peer: test/http1/closing.test.ts'],
  ['6.2', 'the fields go through as they are: test/workers/fields.test.ts'],
  ['6.4', 'the fields go through as they are: test/workers/fields.test.ts'],
  ['6.6', 'about what HPACK is told: test/http2/hpack'],
  ['6.7', 'a permission, and how much a server can carry only it knows: test/faults/too-large.test.ts'],
  ['7.4', 'a scope’s end cannot be told from another call of reset: test/workers'],
  ['7.5', 'about what the server holds: test/faults/resets.test.ts'],
  ['7.6', 'the application is not there to see it: test/faults/threads.test.ts'],
  ['8.1', 'null is always an answer: test/http2/push-live.test.ts'],
  ['8.3', 'about the order in which the peer is sent: test/http2/push.test.ts'],
  ['8.4', 'about what the server does when the function is over: test/http2/push-live.test.ts'],
  ['8.5', 'a permission, and about memory: test/http2/push-live.test.ts, test/apps/notify'],
  ['9.5', 'about what is not given'],
  ['10.4', 'what a layer changes is not known below it: test/middleware'],
  ['11.1', 'a permission'],
  ['11.2', 'what a layer changes is not known below it: test/extensions'],
  ['11.3', 'names'],
  ['12.1', 'about who makes applications: test/faces'],
  ['12.2', 'a face, made native above the validator: test/faces'],
  ['12.3', 'a face, made native above the validator: test/faces'],
  ['12.4', 'about the thread: test/loading'],
  ['12.5', 'a type'],
  ['12.6', 'about adapters: test/adapters, test/gallery'],
  ['12.7', 'about adapters: test/adapters, test/gallery'],
  ['15.2', 'about the drain: test/server/drain.test.ts'],
]);

const specification = readFileSync(new URL('../../docs/sgi.md', import.meta.url), 'utf8');
const rules = [...specification.matchAll(/\*\*(\d+\.\d+)(?: [^*]+)?\*\*/g)].map(([, rule]) => rule as string);
const broken = new Set([...applications, ...tunnelApplications, ...servers].map(([rule]) => rule));

test('the specification numbers its rules, each once', (t) => {
  t.true(rules.length > 60);
  t.is(new Set(rules).size, rules.length);
});

for (const rule of rules) {
  test(`rule ${rule} is broken by a case, or has a reason why it cannot be`, (t) => {
    const places = [broken.has(rule), APART.has(rule), UNSEEN.has(rule)].filter(Boolean);
    t.is(places.length, 1);
  });
}

test('every case and every reason names an existing rule', (t) => {
  const known = new Set(rules);
  t.deepEqual(
    [...broken, ...APART.keys(), ...UNSEEN.keys()].filter((rule) => !known.has(rule)),
    [],
  );
});
