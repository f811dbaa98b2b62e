/** Errors of the control socket, for servers and clients. Codes are stable. */

export const ControlCode = {
  /** The folder belongs to another user, or others may write to it or enter it. */
  FolderUnsafe: 'SLUICE_CONTROL_FOLDER_UNSAFE',
  /** Another process listens on the socket. */
  InUse: 'SLUICE_CONTROL_IN_USE',
  /** The file at the path is not a socket. */
  NoSocket: 'SLUICE_CONTROL_NO_SOCKET',
  /** The path is longer than the system allows for sockets. */
  PathTooLong: 'SLUICE_CONTROL_PATH_TOO_LONG',
  /** This user may not write or connect there. */
  Forbidden: 'SLUICE_CONTROL_FORBIDDEN',
  ReadOnly: 'SLUICE_CONTROL_READ_ONLY',
  /** Any other system error. */
  Unavailable: 'SLUICE_CONTROL_UNAVAILABLE',

  /** The configuration has no control socket. */
  Disabled: 'SLUICE_CONTROL_DISABLED',
  /** No server of this user runs the configuration. */
  NoServer: 'SLUICE_CONTROL_NO_SERVER',
  /** Several servers run it, so the client must say which. */
  SeveralServers: 'SLUICE_CONTROL_SEVERAL_SERVERS',
  /** The other end is not a control socket, or has another version. */
  OtherVersion: 'SLUICE_CONTROL_OTHER_VERSION',
  /** The server has ended, or has cut off the answer. */
  Lost: 'SLUICE_CONTROL_LOST',

  /** In answers. */
  NotFound: 'SLUICE_CONTROL_NOT_FOUND',
  MethodNotAllowed: 'SLUICE_CONTROL_METHOD_NOT_ALLOWED',
  BadJson: 'SLUICE_CONTROL_BAD_JSON',
  Busy: 'SLUICE_CONTROL_BUSY',
  /** More requests than `maxRequestsPerSecond`. */
  TooMany: 'SLUICE_CONTROL_TOO_MANY',
  /** The request was refused before a route saw it. */
  Refused: 'SLUICE_CONTROL_REFUSED',
  /** An internal error, which is in the server's log. */
  Failed: 'SLUICE_CONTROL_FAILED',
} as const;
export type ControlCode = (typeof ControlCode)[keyof typeof ControlCode];

/** The socket cannot be created or reached. */
export class ControlSocketError extends Error {
  override readonly name = 'ControlSocketError';
  readonly code: ControlCode;

  constructor(code: ControlCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A refusal, answered as `{ "error": { "code", "message" } }`. */
export class ControlRefusal extends Error {
  override readonly name = 'ControlRefusal';
  readonly status: number;
  /** Stable, begins with `SLUICE_`. */
  readonly code: string;
  /** Fields of the answer, in pairs. */
  readonly fields: readonly string[];

  constructor(status: number, code: string, message: string, fields: readonly string[] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.fields = fields;
  }
}

export function errorText(code: string, message: string): string {
  return `${JSON.stringify({ error: { code, message } })}\n`;
}

export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
