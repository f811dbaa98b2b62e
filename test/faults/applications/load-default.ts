/** Has no default export. */
export function answer(): void {}
