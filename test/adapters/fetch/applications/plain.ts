import { raw } from './raw.ts';

export default { fetch: raw };
