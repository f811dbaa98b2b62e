/** Chromium, driven by playwright-core. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import type { Scope } from '../server/harness.ts';

/** Where Debian installs it. SLUICE_CHROMIUM names another, and says that it must be there. */
const executablePath = process.env.SLUICE_CHROMIUM ?? '/usr/bin/chromium';

export const hasChromium = process.env.SLUICE_CHROMIUM !== undefined || existsSync(executablePath);

/** Nothing of it speaks to anybody but the page's server. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
];

/**
 * @param spki what OpenSSL calls the digest of a certificate's public key, in base64: certificates with that key are taken
 * as if an authority vouched for them. A browser that merely looks away does not cache, and preloads nothing.
 */
export async function launchChromium(scope: Scope, spki: string): Promise<BrowserContext> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-chromium-'));
  scope.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const context = await chromium.launchPersistentContext(directory, {
    executablePath,
    headless: true,
    args: [...ARGUMENTS, `--ignore-certificate-errors-spki-list=${spki}`],
    chromiumSandbox: false,
  });
  scope.teardown(() => context.close());
  return context;
}
