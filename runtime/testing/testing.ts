/** What tests need. Published as `sluice/testing`. */
export type { Configuration, SluiceServer } from '../embedding/create-server.ts';
export type { InlineApplication } from '../embedding/inline-application.ts';
export type { LogLine } from '../embedding/log.ts';
export { type TestServer, type TestServerOptions, testServer } from '../embedding/test-server.ts';
export {
  type ActorDefinition,
  type ActorDefinitions,
  type ActorSettingsInput,
  type Report,
  type TestActors,
  type TestClock,
  testActors,
} from './actors.ts';
