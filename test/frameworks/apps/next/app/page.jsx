import { threadId } from 'node:worker_threads';
import { rows } from './rows.mjs';

// Rendered for each request.
export const dynamic = 'force-dynamic';

export default async function Page({ searchParams }) {
  const { rows: count = '10' } = await searchParams;
  return (
    <main data-thread={threadId}>
      <h1>Report</h1>
      <table>
        <tbody>
          {rows(Number(count)).map(({ name, sum }) => (
            <tr key={name}>
              <td>{name}</td>
              <td>{sum}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </main>
  );
}
