/** Exports no function: what is written as a class makes instances, and a default export has no name. */
export class Only {
  method(): void {}
}

export const answer = 42;

export default function main(): void {}
