/** The version of this package. */
import { readFileSync } from 'node:fs';

/** The nearest package.json above: `runtime` in a checkout, `dist/runtime` in the published package. */
export function readVersion(): string {
  for (const up of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8'));
      if (name === 'sluice') return String(version);
    } catch {
      // Not there: the other place is.
    }
  }
  return 'unknown';
}
