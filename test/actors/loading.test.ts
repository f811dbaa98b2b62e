/** Actors that cannot be loaded: the server does not start, and says why. */
import test from 'ava';
import { startServer } from '../server/harness.ts';
import { actorModule } from './actor-server.ts';

const wrong: readonly [
  title: string,
  module: string,
  exported: string,
  says: RegExp,
  application?: string,
][] = [
  ['a module that throws', 'throwing', 'Any', /SyntaxError: the module of actors does not load/],
  [
    'a module that throws, in a pool with an application',
    'throwing',
    'Any',
    /got SyntaxError: in the module of actors file:.*throwing\.ts, the module of actors does not load/,
    'caller',
  ],
  [
    'no such export',
    'wrong',
    'Cuonter',
    /to export a class Cuonter, got a module that exports Failing, .*Taken/,
  ],
  ['an export that is no class', 'wrong', 'notAClass', /to export a class notAClass, got an object with add/],
  [
    'a method of a client',
    'wrong',
    'Taken',
    /expected a method of another name than of, tell, each, then.*got tell/,
  ],
  [
    'an interleave that names no method',
    'wrong',
    'Interleaving',
    /static interleave, got "missing"; there are present/,
  ],
  [
    'a module without functions',
    'without-functions',
    '',
    /expected a module that exports functions, got one that exports Only, answer, default/,
  ],
  [
    'a function with the name of a member of clients',
    'wrong-functions',
    '',
    /expected a method of another name than of, tell, each, then.*got each/,
  ],
  ['a start that fails', 'wrong', 'Failing', /RangeError: no connection/],
  [
    'a start that does not settle',
    'wrong',
    'Hanging',
    /wrong: expected start\(\) to settle within 100 ms, it has not/,
  ],
];

for (const [title, module, exported, says, application] of wrong) {
  test(`the server does not start for ${title}`, async (t) => {
    const starting = startServer(t, {
      pools: {
        web: { application: actorModule('caller'), threads: { min: 1, max: 1 } },
        wrong: {
          module: actorModule(module),
          threads: { min: 1, max: 1 },
          ...(application !== undefined && { application: actorModule(application) }),
        },
      },
      routes: [{ path: '/*', pool: 'web' }],
      actors: {
        wrong: {
          pool: 'wrong',
          kind: 'pool',
          startTimeoutMs: 100,
          ...(exported !== '' && { export: exported }),
        },
      },
    });
    const error = await t.throwsAsync(starting);
    t.regex(`${error?.message}`, says);
  });
}
