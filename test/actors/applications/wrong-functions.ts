/** A client has this name itself. */
export function each(): void {}
