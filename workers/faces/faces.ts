/** The faces as functions, for middleware and tests; a pool's application is recognised by its shape. Published as `sluice/faces`. */
export { fromGenerator } from './generator.ts';
export { fromHandler } from './handler.ts';
