/** Decoded pixels. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /**
   * Four bytes per pixel, rows from the top, sRGB, alpha not premultiplied. Its buffer holds nothing else.
   */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** Takes a picture row by row from the top; `rgba` from `offset` on is valid only during the call. */
export interface RowSink {
  row(rgba: Uint8Array | Uint8ClampedArray, offset: number): void;
}
