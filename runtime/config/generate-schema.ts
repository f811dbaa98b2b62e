/**
 * Writes `schema.json`, the published JSON Schema of the configuration file, from the schema that the server
 * checks with: `node runtime/config/generate-schema.ts && npm run format`.
 */

import { writeFileSync } from 'node:fs';
import { toJsonSchema } from '@valibot/to-json-schema';
import { configSchema } from './schema.ts';

export function generateSchema(): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    ...toJsonSchema(configSchema, { typeMode: 'input', target: 'draft-2020-12' }),
  };
}

if (import.meta.main) {
  writeFileSync(new URL('./schema.json', import.meta.url), `${JSON.stringify(generateSchema(), null, 2)}\n`);
}
