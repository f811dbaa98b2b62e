/** Imported before tests that are to be run over direct channels as well: each call that can joins after one. */
import { goDirectly } from '../actor-server.ts';

goDirectly({ afterCalls: 1 });
