/** Awaits at its top level, as a module does that reads its configuration. */
export const answer = await Promise.resolve(42);
