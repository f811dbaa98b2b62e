import test from 'ava';
import { defineCodecTests } from './codec-cases.ts';

defineCodecTests(test);
