/** The errors that a WebSocket throws to an application. */

export const WebSocketErrorCode = {
  /** The WebSocket is closed or closing: nothing more can be sent. */
  Closed: 'SLUICE_WEBSOCKET_CLOSED',
  /** The application sends more than the peer takes, and does not wait. */
  Backlog: 'SLUICE_WEBSOCKET_BACKLOG',
  CloseInvalid: 'SLUICE_WEBSOCKET_CLOSE_INVALID',
  OptionInvalid: 'SLUICE_WEBSOCKET_OPTION_INVALID',
  /** The application reads with two readers at once. */
  ReaderBusy: 'SLUICE_WEBSOCKET_READER_BUSY',
} as const;
export type WebSocketErrorCode = (typeof WebSocketErrorCode)[keyof typeof WebSocketErrorCode];

export class WebSocketError extends Error {
  readonly code: WebSocketErrorCode;

  constructor(code: WebSocketErrorCode, expected: string, received: string) {
    super(`expected ${expected}, got ${received}`);
    this.name = 'WebSocketError';
    this.code = code;
  }
}
