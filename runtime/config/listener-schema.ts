/** One entry of `listeners`: where to listen, and how to treat the connections that arrive there. */

import * as v from 'valibot';
import { addressPattern } from './address.ts';
import { addressRangePattern } from './address-range.ts';
import { maxTimerMs } from './duration.ts';
import { flag, oneOf, wholeNumber } from './fields.ts';

export const proxyProtocols = ['off', 'v1', 'v2', 'any'] as const;
export const forwardedFieldNames = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
] as const;
export const tlsVersions = ['TLSv1.2', 'TLSv1.3'] as const;

function path(description: string) {
  const expected = 'the path of a file';
  return v.pipe(v.string(expected), v.minLength(1, expected), v.description(description));
}

const certificate = v.pipe(
  v.strictObject(
    {
      cert: path(
        'The certificate in PEM, followed by the intermediate ones; a path relative to this file, or absolute. It serves the names in its subjectAltName.',
      ),
      key: path('Its private key in PEM.'),
      passphraseFile: v.optional(
        path('A file whose first line decrypts the key. Default: the key is plain.'),
      ),
    },
    'an object with a cert and a key',
  ),
  v.description('A certificate and its key.'),
);

export const tlsSchema = v.pipe(
  v.strictObject(
    {
      certificates: v.pipe(
        v.array(certificate, 'an array of certificates'),
        v.minLength(1, 'at least one certificate'),
        v.description(
          'The name that the client asks for (SNI) selects one: an exact name before a wildcard; without a match the first.',
        ),
      ),
      minVersion: oneOf('The oldest version of TLS to accept.', tlsVersions, 'TLSv1.2'),
      maxVersion: oneOf('The newest version of TLS to accept.', tlsVersions, 'TLSv1.3'),
      ciphers: v.optional(
        v.pipe(
          v.string('an OpenSSL cipher list'),
          v.minLength(1, 'an OpenSSL cipher list'),
          v.description(
            'Cipher suites as an OpenSSL list. Default: the suites of TLS 1.3, and for TLS 1.2 those with ephemeral keys and AEAD, which are the ones that HTTP/2 allows (RFC 9113 appendix A).',
          ),
        ),
      ),
      requestCert: flag('Ask the client for a certificate (mutual TLS).', false),
      rejectUnauthorized: flag(
        'With requestCert: refuse clients without a certificate of one of the ca. If false, the application decides by request.tls.authorized.',
        true,
      ),
      ca: v.optional(
        v.pipe(
          v.array(path('CA certificates in PEM.'), 'an array of paths'),
          v.minLength(1, 'at least one path'),
          v.description(
            'The CAs that client certificates are checked against. Required with requestCert, and not allowed without it. Default: none.',
          ),
        ),
      ),
      maxClientCertificateBytes: wholeNumber(
        'The most bytes of a client certificate (DER), which goes to the application with every request. A connection with a larger one is closed.',
        { from: 512, to: 65_536, byDefault: 8_192 },
      ),
      handshakeTimeoutMs: wholeNumber('The time for a handshake.', {
        from: 1,
        to: maxTimerMs,
        byDefault: 10_000,
      }),
      sessionLifetimeSeconds: wholeNumber(
        'How long a client may resume a session without a full handshake, by a ticket that only it keeps; 0 switches resumption off.',
        { from: 0, to: 604_800, byDefault: 7_200 },
      ),
      ticketRotationMs: wholeNumber(
        'How often the key that encrypts tickets is replaced. A ticket of an earlier key leads to a full handshake. Unused with ticketKeys.',
        { from: 1_000, to: maxTimerMs, byDefault: 43_200_000 },
      ),
      ticketKeys: v.optional(
        path(
          "A file of 48 random bytes that encrypt tickets, so that several servers, or one before and after a restart, accept each other's. Replace the file to rotate the key. Default: a key of this process.",
        ),
      ),
      watch: flag(
        'Reload the files when they change; SIGHUP reloads them at any time. Connections stay open. If a file is invalid, the log says so and the previous files stay in use.',
        true,
      ),
      allowCleartext: flag(
        'Also accept cleartext connections on this address, which do not begin with a TLS handshake.',
        false,
      ),
    },
    'an object with certificates',
  ),
  v.description('TLS (RFC 8446, RFC 5246), with HTTP/2 and HTTP/1.1 by ALPN (RFC 7301). Default: cleartext.'),
);

const range = 'an address, a range such as "10.0.0.0/8" or "fd00::/8", or "unix"';
const permissions = 'octal permissions such as "660"';

export const listenerSchema = v.pipe(
  v.strictObject(
    {
      address: v.pipe(
        v.string('an address such as "127.0.0.1:8080"'),
        v.description(
          'Where to listen: host:port, or [address]:port for IPv6 (port 0 takes a free one); unix:path; fd:3 for a listening socket that the process inherits; systemd:name for those of a socket unit (FileDescriptorName), systemd:* for all that were passed.',
        ),
        v.metadata({ pattern: addressPattern }),
      ),
      permissions: v.optional(
        v.pipe(
          v.string(permissions),
          v.regex(/^[0-7]{3}$/, permissions),
          v.description("Permissions of a unix: socket. Default: set by the process's umask."),
        ),
      ),
      health: flag('Whether this listener answers the paths of health.', true),
      tls: v.optional(tlsSchema),
      proxyProtocol: oneOf(
        'Whether every connection begins with a PROXY protocol header that names the client, and of which version; before TLS when there is TLS. Accepted from trustedProxies only: other connections are closed, and so are those with an invalid header.',
        proxyProtocols,
        'off',
      ),
      maxProxyHeaderBytes: wholeNumber('Bytes of a PROXY protocol header of version 2, its TLVs included.', {
        from: 232,
        to: 65_551,
        byDefault: 4_096,
      }),
      trustedProxies: v.optional(
        v.pipe(
          v.array(
            v.pipe(
              v.string(range),
              v.description('An address or a range of addresses; "unix" for peers on Unix domain sockets.'),
              v.metadata({ pattern: addressRangePattern }),
            ),
            'an array of addresses and ranges',
          ),
          v.description(
            'Proxies that Sluice believes about the client: their PROXY protocol headers and forwardedFields. It ignores those of others and passes their fields on unchanged.',
          ),
        ),
        [],
      ),
      forwardedFields: v.optional(
        v.pipe(
          v.array(
            v.picklist(
              forwardedFieldNames,
              forwardedFieldNames.map((name) => JSON.stringify(name)).join(', '),
            ),
            'an array of field names',
          ),
          v.description(
            'The fields that trusted proxies set and that clients cannot forge. If your proxy sets only some of them and passes the others through, list only those that it sets.',
          ),
        ),
        [...forwardedFieldNames],
      ),
    },
    'an object with an address',
  ),
  v.description('An address to listen on, for HTTP/2 and HTTP/1.1, in cleartext unless it has tls.'),
);

export type ListenerOutput = v.InferOutput<typeof listenerSchema>;
