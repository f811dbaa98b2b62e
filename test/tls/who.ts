/** What `applications/who.ts` answers. */
import { fileURLToPath } from 'node:url';

export interface Seen {
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly version: string;
  readonly remote: { readonly address: string; readonly port: number };
  readonly forwardedFor: readonly string[];
  readonly tls: SeenTls | null;
}

export interface SeenTls {
  readonly version: string;
  readonly cipher: string;
  readonly alpn: string | null;
  readonly servername: string | null;
  readonly authorized: boolean;
  readonly clientCertificate: {
    readonly subject: string;
    readonly issuer: string;
    readonly fingerprint256: string;
    readonly rawBytes: number;
    readonly pem: string;
  } | null;
}

export const who = {
  application: fileURLToPath(new URL('./applications/who.ts', import.meta.url)),
  threads: { max: 1 },
};

export function seenIn(body: Uint8Array | string): Seen {
  return JSON.parse(String(body)) as Seen;
}
