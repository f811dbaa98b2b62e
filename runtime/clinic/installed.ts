/**
 * Finds clinic, an optional peer dependency, in the project or beside this package. Only one version is
 * accepted, because Sluice relies on its source.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const CLINIC_VERSION = '13.0.0';
const install = `npm install --save-dev --save-exact clinic@${CLINIC_VERSION}`;

export const ClinicCode = {
  Missing: 'SLUICE_CLINIC_MISSING',
  OtherVersion: 'SLUICE_CLINIC_OTHER_VERSION',
} as const;

export class ClinicError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'ClinicError';
    this.code = code;
  }
}

export interface Clinic {
  /** The path of its command, to be run by Node. */
  readonly command: string;
  /** Resolves its own modules and those that come with it. */
  readonly require: NodeJS.Require;
  /** The folder of the commands that come with it. */
  readonly commands: string;
}

/**
 * @param directory of the project
 * @param beside a path or URL in whose parent folders the package may be, too
 * @throws ClinicError
 */
export function findClinic(directory: string, beside: string = import.meta.url): Clinic {
  for (const from of [pathToFileURL(join(directory, 'package.json')).href, beside]) {
    const manifest = manifestFrom(from);
    if (manifest === null) continue;
    const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
    if (version !== CLINIC_VERSION) {
      const found = `found ${version} at ${dirname(manifest)}`;
      throw new ClinicError(
        ClinicCode.OtherVersion,
        `expected clinic ${CLINIC_VERSION}, ${found}; install it: ${install}`,
      );
    }
    return {
      command: join(dirname(manifest), 'bin.js'),
      require: createRequire(manifest),
      commands: join(dirname(manifest), '../.bin'),
    };
  }
  throw new ClinicError(
    ClinicCode.Missing,
    `expected clinic ${CLINIC_VERSION} among the packages of ${directory}, found none; install it: ${install}`,
  );
}

function manifestFrom(from: string): string | null {
  try {
    return createRequire(from).resolve('clinic/package.json');
  } catch {
    // The package is not here; it may be in the other place.
    return null;
  }
}
