/** Connection fields that legacy code sets. The adapters leave them out, as node:http2 does (RFC 9113 section 8.2.2). */
export const FIELDS_OF_CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);
