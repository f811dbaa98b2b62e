/**
 * Checks that what a thread reports about an actor's methods is a valid manifest. All other threads receive it, and
 * none of them may fail because of it.
 */
import type { ActorManifest } from '../../wire/actors/messages.ts';
import { PayloadDecoder } from '../../wire/payload/decoder.ts';
import { DEFAULT_MAX_DEPTH, DEFAULT_MAX_REFERENCES, PayloadError } from '../../wire/payload/forms.ts';

export function isManifest(payload: Buffer): boolean {
  try {
    const limits = {
      maxBytes: payload.length,
      maxDepth: DEFAULT_MAX_DEPTH,
      maxReferences: DEFAULT_MAX_REFERENCES,
      maxErrorChars: 0,
    };
    const manifest = new PayloadDecoder().decode(payload, 0, payload.length, limits);
    const methods: unknown = (manifest as Partial<ActorManifest> | null | undefined)?.methods;
    return Array.isArray(methods) && methods.every(isMethod);
  } catch (error) {
    if (error instanceof PayloadError) return false;
    throw error;
  }
}

function isMethod(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { name, interleaves, streams } = value as { readonly [name: string]: unknown };
  return typeof name === 'string' && typeof interleaves === 'boolean' && typeof streams === 'boolean';
}
