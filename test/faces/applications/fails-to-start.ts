export function start(): void {
  throw new Error('there is no database');
}

export default function never(): void {}
