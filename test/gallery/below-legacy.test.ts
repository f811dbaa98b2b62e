/**
 * What a native application keeps below legacy layers that have acted on the exchange. The matrix checks all
 * combinations; these tests check details.
 */
import { sensitiveHeaders } from 'node:http2';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { FORMS } from '../../apps/middleware/catalogue.ts';
import { FileScope } from '../server/harness.ts';
import { exchange, type GalleryServer, startGallery } from './gallery-server.ts';

const scope = new FileScope();
let server: GalleryServer;
test.before(async () => {
  server = await startGallery(scope);
});
test.after.always(() => scope.end());

for (const form of FORMS.filter((each) => each.startsWith('legacy/'))) {
  test(`${form}: a field that a layer below marks as secret is still never indexed`, async (t) => {
    const stack = [form, 'validator', 'native/sessions'];
    const { headers } = await exchange(server, { version: '2', stack });
    t.regex(String(headers['set-cookie']), /session=/);
    t.true((headers as { [sensitiveHeaders]?: string[] })[sensitiveHeaders]?.includes('set-cookie'));
  });
}

for (const version of ['1.1', '2'] as const) {
  test(`HTTP/${version}: a body that a parser above has kept as received reaches the application through all layers`, async (t) => {
    const stack = ['legacy/body-limit', 'legacy/body-limit', 'validator', 'legacy/cors', 'validator'];
    for (const body of ['', 'x', 'y'.repeat(60_000)]) {
      const got = await exchange(server, { version, stack, method: 'POST', body });
      t.is(got.status, 200);
      t.is(got.text.slice(got.text.indexOf('\n') + 1), body);
    }
  });

  test(`HTTP/${version}: a body that a parser has inflated is not presented as the received one`, async (t) => {
    const got = await exchange(server, {
      version,
      stack: ['native/debug-page', 'legacy/body-limit'],
      method: 'POST',
      headers: { 'content-encoding': 'gzip' },
      body: gzipSync('packed'),
    });
    // The head has been sent when the application reads, so the response breaks off.
    t.is(got.how, 'cut');
    await server.log.until(
      'application failed',
      (line) => (line.err as { code?: string } | undefined)?.code === 'SLUICE_BODY_USED',
    );
  });
}
