import type { Application } from '../gateway.ts';
export function validate(application: Application): Application {
  return application;
}
