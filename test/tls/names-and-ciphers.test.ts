/** Which certificate a server name selects, and which TLS versions and suites HTTP/2 may use. */
import test from 'ava';
import { isAllowedForHttp2 } from '../../runtime/tls/http2-ciphers.ts';
import { ServerNames } from '../../runtime/tls/server-names.ts';

test('an exact name takes precedence over a wildcard, and a star matches one label', (t) => {
  const names = new ServerNames<string>();
  names.add('*.example.org', 'wildcard');
  names.add('www.example.org', 'exact');
  names.add('www.example.org', 'second');
  t.is(names.find('www.example.org'), 'exact');
  t.is(names.find('WWW.Example.ORG'), 'exact');
  t.is(names.find('api.example.org'), 'wildcard');
  for (const name of ['example.org', 'a.b.example.org', '.example.org', 'example.com', '', '*']) {
    t.is(names.find(name), undefined, name);
  }
});

function allows(version: string, standardName: string): boolean {
  const cipher = { name: '', standardName, version };
  return isAllowedForHttp2({ getProtocol: () => version, getCipher: () => cipher });
}

test('HTTP/2 runs over TLS 1.3 and over the ephemeral AEAD suites of TLS 1.2', (t) => {
  t.true(allows('TLSv1.3', 'TLS_AES_128_GCM_SHA256'));
  for (const suite of [
    'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
    'TLS_DHE_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
    'TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
    'TLS_ECDHE_ECDSA_WITH_AES_128_CCM',
    'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8',
    'TLS_DHE_PSK_WITH_AES_128_GCM_SHA256',
  ]) {
    t.true(allows('TLSv1.2', suite), suite);
  }
});

test('the suites of RFC 9113 appendix A are prohibited, and so are older TLS versions', (t) => {
  for (const suite of [
    'TLS_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_RSA_WITH_AES_256_CCM_8',
    'TLS_RSA_PSK_WITH_AES_128_GCM_SHA256',
    'TLS_PSK_WITH_AES_128_GCM_SHA256',
    'TLS_DH_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_DH_anon_WITH_AES_128_GCM_SHA256',
    'TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256',
    'TLS_ECDHE_RSA_WITH_RC4_128_SHA',
    'TLS_ECDHE_ECDSA_WITH_NULL_SHA',
    'TLS_DHE_RSA_WITH_AES_256_CBC_SHA',
    'TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA',
    'TLS_NULL_WITH_NULL_NULL',
  ]) {
    t.false(allows('TLSv1.2', suite), suite);
  }
  t.false(allows('TLSv1.1', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'));
  t.false(allows('TLSv1', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'));
});
