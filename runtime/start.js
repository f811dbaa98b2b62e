/**
 * `npm start`. The one JavaScript file among the sources: a TypeScript entry makes Node load its type
 * stripper before the compile cache can be switched on, which costs every start 70 ms; if the cache is on
 * first, no file is stripped twice.
 */
import { enableCompileCache } from 'node:module';

enableCompileCache();
await import('./cli.ts');
