export function named(): void {}
