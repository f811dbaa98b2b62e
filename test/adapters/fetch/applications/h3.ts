import { H3 } from 'h3';
import { raw } from './raw.ts';

export default new H3().all('/**', (event) => raw(event.req as Request));
