/** The version of this package. */
import { readFileSync } from 'node:fs';

let version: string | null = null;

/** Read once, because a status also contains it and must not wait for a disk. */
export function readVersion(): string {
  version ??= find();
  return version;
}

/** In the nearest package.json above: `runtime/process` in a checkout, `dist/runtime/process` in the published package. */
function find(): string {
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8'));
      if (name === 'sluice') return String(version);
    } catch {
      // The file is not here; it is in the other place.
    }
  }
  return 'unknown';
}
