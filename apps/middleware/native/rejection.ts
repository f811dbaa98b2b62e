/**
 * A rejection that may be ignored: an application that does not wait for its writes may be cut off, and that
 * must not end its thread (docs/sgi.md, rule 2.7).
 */
export function rejection(reason: unknown): Promise<never> {
  const rejected = Promise.reject(reason);
  rejected.catch(() => undefined);
  return rejected;
}
