/** A module in the place of a configuration file: its application gets every request, in a pool called `app`, and the rest is default. */
import { basename } from 'node:path';

/** What Node loads as JavaScript or TypeScript. */
const MODULE_NAME = /\.[cm]?[jt]s$/;

export function isModuleName(file: string): boolean {
  return MODULE_NAME.test(file);
}

/** @returns the configuration that a module stands for, as JSON text; null: the file is none, and is to be read */
export function impliedText(file: string): string | null {
  if (!isModuleName(file)) return null;
  return JSON.stringify({
    pools: { app: { application: `./${basename(file)}` } },
    // Where an application takes no WebSockets, the handshake reaches it as a plain request.
    routes: [{ path: '/*', pool: 'app', websocket: true }],
  });
}
