/** clinic's own pages of our profiles, where clinic is installed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Clinic, ClinicError } from '../clinic/installed.ts';
import { visualize } from '../clinic/visualize.ts';
import { withoutMarks } from './clinic-data.ts';

export type ClinicPage = { readonly path: string } | { readonly missing: string };

/**
 * @param data what clinic reads; the page is made beside it
 * @param find throws ClinicError where there is none
 * @param signal aborts: the page is not waited for
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
  // The flame page has them no more: clinic makes its paths relative to the project.
  if (tool === 'heapprofiler') writeFileSync(path, withoutMarks(readFileSync(path, 'utf8')));
  return { path };
}

function byHand(tool: string, data: string): string {
  return `npx clinic ${tool} --visualize-only ${data}`;
}
