import { createServer } from 'node:http';

/** What a call throws: its code, the name of the call, and what to do instead. */
const thrown = (name, ...args) => {
  try {
    process[name](...args);
    return [name];
  } catch ({ code, message, cause }) {
    return [code, cause?.code, message];
  }
};

const calls = [
  ['abort'],
  ['chdir', '/'],
  ['umask', 0o22],
  ['setuid', 1],
  ['seteuid', 1],
  ['setgid', 1],
  ['setegid', 1],
  ['setgroups', [1]],
  ['initgroups', 'nobody', 1],
];
const told = calls.map((call) => thrown(...call));

createServer((_req, res) => res.end(JSON.stringify({ told, umask: typeof process.umask() }))).listen(3000);
