/** The TLS settings that apply unless the configuration has others. */
import { constants } from 'node:crypto';

/**
 * The suites of TLS 1.3; for TLS 1.2 those with ephemeral keys and AEAD, so that HTTP/2 may run over every
 * one (RFC 9113 section 9.2.2). AES-128 comes first: it is the fastest where the processor has AES, and
 * cannot be broken either.
 */
export const defaultCiphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/**
 * No renegotiation (RFC 9113 section 9.2.1), which Node allows a few times. A client that prefers ChaCha20,
 * as it does without AES in hardware, gets it.
 */
export const secureOptions = constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_PRIORITIZE_CHACHA;
