/** `test` for what only the whole suite runs: the smaller parts skip it and run the other tests of its file. */
import test from 'ava';
import { SHORT_VARIABLE } from './parts.ts';

export const wholeOnly = process.env[SHORT_VARIABLE] === undefined ? test : test.skip;
