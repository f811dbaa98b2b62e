/** Gives up behind another's top-level await, as a program does whose configuration is wrong. */
import { answer } from './awaiting.ts';

if (answer === 42) process.exit(7);
export default function never(): void {}
