/**
 * Never loads: it imports one graph of modules after another, each of which awaits at its top level. Each graph is new, so that V8 links
 * and evaluates for most of the time. It says so behind the first.
 */
import { Signals } from '../../server/signals.ts';

const MODULES = 50;

/** A module that imports many. */
function graph(name: string): string {
  const leaf = (i: number) => `import 'data:text/javascript,await 0//${name}-${i}';`;
  const text = Array.from({ length: MODULES }, (_, i) => leaf(i)).join('');
  return `data:text/javascript,${encodeURIComponent(`${text}await 0//${name}`)}`;
}

const signals = new Signals(process.env.TEST_SIGNALS as string);
for (let count = 0; ; count++) {
  await import(graph(String(count)));
  if (count === 0) signals.tell('importing');
  await new Promise(setImmediate);
}
