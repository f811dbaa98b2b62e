/** Has no default export. */
export function handler(): void {}
