/** What can go wrong around the control socket, for whoever opens it, asks on it, or is asked. Codes are stable. */

export const ControlCode = {
  /** The folder is somebody else's, or others may write into it or look into it. */
  FolderUnsafe: 'SLUICE_CONTROL_FOLDER_UNSAFE',
  /** Another process listens on the socket. */
  InUse: 'SLUICE_CONTROL_IN_USE',
  /** What stands at the path is no socket. */
  NoSocket: 'SLUICE_CONTROL_NO_SOCKET',
  /** The system takes no path of a socket that is so long. */
  PathTooLong: 'SLUICE_CONTROL_PATH_TOO_LONG',
  /** This user may not write there, or not connect. */
  Forbidden: 'SLUICE_CONTROL_FORBIDDEN',
  ReadOnly: 'SLUICE_CONTROL_READ_ONLY',
  /** Any other reason of the system's. */
  Unavailable: 'SLUICE_CONTROL_UNAVAILABLE',

  /** For a client: the configuration has no control socket. */
  Disabled: 'SLUICE_CONTROL_DISABLED',
  /** No server of the configuration runs, as this user. */
  NoServer: 'SLUICE_CONTROL_NO_SERVER',
  /** Several do, and which is meant would be a guess. */
  SeveralServers: 'SLUICE_CONTROL_SEVERAL_SERVERS',
  /** What answers is no control socket, or one of a version that says other things. */
  OtherVersion: 'SLUICE_CONTROL_OTHER_VERSION',
  /** The server has gone, or has cut the answer off. */
  Lost: 'SLUICE_CONTROL_LOST',

  /** In answers. */
  NotFound: 'SLUICE_CONTROL_NOT_FOUND',
  MethodNotAllowed: 'SLUICE_CONTROL_METHOD_NOT_ALLOWED',
  BadJson: 'SLUICE_CONTROL_BAD_JSON',
  Busy: 'SLUICE_CONTROL_BUSY',
  /** More requests have come than are answered in a second. */
  TooMany: 'SLUICE_CONTROL_TOO_MANY',
  /** The request was refused before anybody looked at what it asks for. */
  Refused: 'SLUICE_CONTROL_REFUSED',
  /** An error of the server's own; its log has it. */
  Failed: 'SLUICE_CONTROL_FAILED',
} as const;
export type ControlCode = (typeof ControlCode)[keyof typeof ControlCode];

/** The socket cannot be made, or cannot be reached. */
export class ControlSocketError extends Error {
  override readonly name = 'ControlSocketError';
  readonly code: ControlCode;

  constructor(code: ControlCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What a route refuses: the answer, as `{ "error": { "code", "message" } }`. */
export class ControlRefusal extends Error {
  override readonly name = 'ControlRefusal';
  readonly status: number;
  /** Stable, and `SLUICE_…`. */
  readonly code: string;
  /** Of the answer, in pairs. */
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
