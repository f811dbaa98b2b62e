/** Applications that a test writes, and writes anew while a server runs them. They end with their test. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Scope } from '../server/harness.ts';

export class AppFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'sluice-reload-'));

  constructor(scope: Scope) {
    scope.teardown(() => rmSync(this.path, { recursive: true, force: true }));
  }

  /** The absolute path of the file, which now says this. */
  write(name: string, text: string): string {
    const file = join(this.path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  /** An application that answers with this text. */
  answering(name: string, text: string): string {
    return this.write(
      name,
      `export default (exchange) => exchange.respond(200, {}, ${JSON.stringify(text)});\n`,
    );
  }
}
