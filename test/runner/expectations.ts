/** What a run of the tests needs and how long it takes, said before it begins. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Part } from './parts.ts';

/** Programs that tests talk to. Debian's packages of the same names but for nghttp and h2load (`nghttp2-client`), nginx (`nginx-light`) and ip (`iproute2`). */
const PEERS = ['curl', 'nghttp', 'h2load', 'openssl', 'haproxy', 'nginx', 'chromium', 'ip'];

/** Where Debian keeps servers that no user's PATH has. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

/** @param exists whether a path is a program */
export function missingPeers(path: string, exists: (file: string) => boolean = isProgram): string[] {
  const folders = [...path.split(delimiter), ...SYSTEM_FOLDERS];
  return PEERS.filter((peer) => !folders.some((folder) => exists(join(folder, peer))));
}

const TIMES: Readonly<Record<Part, string>> = {
  whole: 'Running every test: about 20 minutes on two idle cores.',
  short: 'Running the short tests: about two minutes on two idle cores.',
  fast: 'Running the fast tests: about half a minute on two idle cores.',
};

export function expectation(part: Part, missing: readonly string[]): string {
  const time = TIMES[part];
  return missing.length === 0
    ? time
    : `${time} Some tests need programs that are not installed, and fail or are skipped: ${missing.join(', ')}.`;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Not there, or nothing that runs.
    return false;
  }
}
