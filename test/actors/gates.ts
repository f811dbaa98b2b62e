/** What methods of actors in tests wait for, by name. */
const gates = new Map<string, PromiseWithResolvers<void>>();

export function gate(name: string): PromiseWithResolvers<void> {
  let known = gates.get(name);
  if (known === undefined) {
    known = Promise.withResolvers<void>();
    gates.set(name, known);
  }
  return known;
}

/** Between tests. */
export function forgetGates(): void {
  gates.clear();
}
