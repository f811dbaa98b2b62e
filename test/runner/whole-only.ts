/** `test` for what the whole suite alone runs: the fast part passes over it, and runs the others of its file. */
import test from 'ava';
import { FAST_VARIABLE } from './slow.ts';

export const wholeOnly = process.env[FAST_VARIABLE] === undefined ? test : test.skip;
