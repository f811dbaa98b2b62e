import { threadId } from 'node:worker_threads';
import { rows } from '../rows.js';

export function loader({ request }) {
  const count = Number(new URL(request.url).searchParams.get('rows') ?? '10');
  return { thread: threadId, rows: rows(count) };
}

export default function Home({ loaderData }) {
  return (
    <main data-thread={loaderData.thread}>
      <h1>Report</h1>
      <table>
        <tbody>
          {loaderData.rows.map(({ name, sum }) => (
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
