/**
 * The parts of `ws` that its types do not describe: the framing alone, which `ws` exports in addition to
 * its sockets. Only what framing.ts and handshake.ts use.
 */
import type { Writable } from 'node:stream';

declare module 'ws' {
  type ExtensionParams = { readonly [name: string]: string | number | boolean };
  type ExtensionOffers = { readonly [name: string]: readonly ExtensionParams[] };

  export class PerMessageDeflate {
    static readonly extensionName: 'permessage-deflate';
    /** The negotiated parameters; null before `accept`. */
    readonly params: ExtensionParams | null;
    constructor(options: {
      readonly isServer: boolean;
      readonly maxPayload: number;
      readonly serverNoContextTakeover?: boolean;
      readonly clientNoContextTakeover?: boolean;
      readonly threshold?: number;
      readonly zlibDeflateOptions?: { readonly level: number };
    });
    /** @throws Error if none of the offers can be accepted */
    accept(offers: readonly ExtensionParams[]): ExtensionParams;
    offer(): ExtensionParams;
    cleanup(): void;
  }

  export type Extensions = { readonly 'permessage-deflate'?: PerMessageDeflate };

  export class Receiver extends Writable {
    constructor(options: {
      readonly isServer: boolean;
      readonly extensions: Extensions;
      readonly maxPayload: number;
      readonly maxFragments: number;
      /** The most pieces of an incomplete frame. */
      readonly maxBufferedChunks?: number;
      readonly allowSynchronousEvents: boolean;
    });
    on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this;
    on(event: 'conclude', listener: (code: number, reason: Buffer) => void): this;
    on(event: 'ping' | 'pong', listener: (data: Buffer) => void): this;
    on(event: 'error', listener: (error: Error & { readonly code?: string }) => void): this;
    on(event: string, listener: (...args: never[]) => void): this;
  }

  export class Sender {
    /** A stream to write to and to cork; it need not be a socket. */
    constructor(socket: Writable, extensions: Extensions);
    send(
      data: Uint8Array | string,
      options: {
        readonly binary: boolean;
        readonly compress: boolean;
        readonly fin: boolean;
        readonly mask: boolean;
      },
      written?: (error?: Error | null) => void,
    ): void;
    ping(data: Uint8Array, mask: boolean, written?: (error?: Error | null) => void): void;
    pong(data: Uint8Array, mask: boolean, written?: (error?: Error | null) => void): void;
    close(
      code: number | undefined,
      reason: string,
      mask: boolean,
      written?: (error?: Error | null) => void,
    ): void;
  }

  export const extension: {
    /** @throws SyntaxError */
    parse(header: string): ExtensionOffers;
    format(extensions: { readonly [name: string]: readonly ExtensionParams[] }): string;
  };

  export const subprotocol: {
    /** @throws SyntaxError */
    parse(header: string): Set<string>;
  };
}
