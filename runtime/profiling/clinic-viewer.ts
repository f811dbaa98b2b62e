/** clinic's own pages of Sluice's profiles, if clinic is installed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Clinic, ClinicError } from '../clinic/installed.ts';
import { visualize } from '../clinic/visualize.ts';
import { withoutMarks } from './clinic-data.ts';

export type ClinicPage = { readonly path: string } | { readonly missing: string };

/**
 * @param data what clinic reads; the page is made beside it
 * @param find throws ClinicError if clinic is missing
 * @param signal aborts: do not wait for the page
 */
export async function renderWithClinic(
  tool: 'flame' | 'heapprofiler',
  data: string,
  find: () => Clinic,
  signal: AbortSignal,
): Promise<ClinicPage> {
  let clinic: Clinic;
  try {
    clinic = find();
  } catch (error) {
    if (!(error instanceof ClinicError)) throw error;
    return { missing: `no page by clinic: ${error.message}; then \`${byHand(tool, data)}\`` };
  }
  const failure = await visualize(clinic, tool, data, signal);
  if (failure !== null) return { missing: `clinic made no page: ${failure}` };
  const path = `${data}.html`;
  // In the flame page they are already gone, because clinic makes its paths relative to the project.
  if (tool === 'heapprofiler') writeFileSync(path, withoutMarks(readFileSync(path, 'utf8')));
  return { path };
}

function byHand(tool: string, data: string): string {
  return `npx clinic ${tool} --visualize-only ${data}`;
}
