import test from 'ava';

// msgpackr reads it when it loads, so everything that imports msgpackr comes after.
process.env.MSGPACKR_NATIVE_ACCELERATION_DISABLED = 'true';
const { isNativeAccelerationEnabled } = await import('msgpackr');
const { defineCodecTests } = await import('./codec-cases.ts');

test('msgpackr runs without its native addon here', (t) => {
  t.false(isNativeAccelerationEnabled);
});

defineCodecTests(test);
