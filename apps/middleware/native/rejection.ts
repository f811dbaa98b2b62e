/**
 * A rejection that nobody need hear: an application that does not wait for its writes may be cut off, and its thread must not end
 * for that (docs/sgi.md, rule 2.7).
 */
export function rejection(reason: unknown): Promise<never> {
  const rejected = Promise.reject(reason);
  rejected.catch(() => undefined);
  return rejected;
}
