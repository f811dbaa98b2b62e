/** Makes the OpenAPI document of the admin endpoints from the table of operations. */
import { readVersion } from '../process/version.ts';
import type { Operation } from './operations.ts';
import { ref, type Schema, schemas } from './schemas.ts';

/** @param withToken whether clients need a token, as over TCP */
export function openApiDocument(operations: readonly Operation[], withToken: boolean): Schema {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = (paths[operation.path] ??= {});
    path[operation.method.toLowerCase()] = describe(operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice admin',
      version: readVersion(),
      description: 'What a running server tells of itself, and what it can be told to do.',
    },
    paths,
    components: {
      schemas,
      ...(withToken && { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } }),
    },
    ...(withToken && { security: [{ token: [] }] }),
  };
}

function describe({ id, summary, parameters, body, status, answer, type, refusals = {} }: Operation): Schema {
  const responses: Record<string, unknown> = {
    [status]: { description: summary, content: { [type ?? 'application/json']: { schema: answer } } },
  };
  for (const [code, description] of Object.entries(refusals)) responses[code] = refusal(description);
  responses.default = refusal('A refusal: a stable code, and a message that says what was expected.');
  return {
    operationId: id,
    summary,
    ...(parameters && {
      parameters: parameters.map((parameter) => ({ ...parameter, required: parameter.in === 'path' })),
    }),
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses,
  };
}

function refusal(description: string): Schema {
  return { description, content: { 'application/json': { schema: ref('Error') } } };
}
