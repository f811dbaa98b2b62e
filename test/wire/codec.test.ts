// With msgpackr's native string extraction, where its addon is installed; the other half is codec-without-native.
import test from 'ava';
import { defineCodecTests } from './codec-cases.ts';

defineCodecTests(test);
