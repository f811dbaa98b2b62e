/** A module in place of a configuration file: its application gets every request, in a pool called `app`. Everything else is default. */
import { basename } from 'node:path';

/** File names that Node loads as JavaScript or TypeScript. */
const MODULE_NAME = /\.[cm]?[jt]s$/;

export function isModuleName(file: string): boolean {
  return MODULE_NAME.test(file);
}

/** @returns the configuration for a module, as JSON text; null if the file is a configuration file */
export function impliedText(file: string): string | null {
  if (!isModuleName(file)) return null;
  return JSON.stringify({
    pools: { app: { application: `./${basename(file)}` } },
    // An application without WebSockets gets the handshake as a plain request.
    routes: [{ path: '/*', pool: 'app', websocket: true }],
  });
}
