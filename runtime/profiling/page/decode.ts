/** Decodes sequences of integers: zigzag, then seven bits per byte, the lowest first, then base64. */

const ZIGZAG = 2;

export function decodeIntegers(text: string): Float64Array {
  const binary = atob(text);
  const values = new Float64Array(binary.length);
  let count = 0;
  let value = 0;
  let scale = 1;
  for (let i = 0; i < binary.length; i++) {
    const byte = binary.charCodeAt(i);
    value += (byte & 127) * scale;
    if (byte >= 128) {
      // A multiplication and not a shift, because times have more than 32 bits.
      scale *= 128;
      continue;
    }
    values[count++] = value % ZIGZAG === 0 ? value / ZIGZAG : -(value + 1) / ZIGZAG;
    value = 0;
    scale = 1;
  }
  return values.subarray(0, count);
}
