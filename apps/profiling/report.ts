/**
 * Planted fault: a hot spot. A report over some thousand orders spends nearly all of its time in one function
 * that looks harmless. docs/profiling.md finds the fault.
 */
import type { Exchange } from '../../workers/gateway.ts';

interface Order {
  readonly customer: string;
  readonly cents: number;
}

const ORDERS = 6_000;
const CUSTOMERS = 3_000;

export default function report(exchange: Exchange): void {
  const orders = readOrders();
  const customers = withoutDuplicates(orders.map(({ customer }) => customer));
  const cents = orders.reduce((sum, order) => sum + order.cents, 0);
  const type = { 'content-type': 'text/plain; charset=utf-8' };
  exchange.respond(200, type, `${customers.length} customers, ${orders.length} orders, ${cents / 100} EUR\n`);
}

/** Simulates a file or a nearby database. */
function readOrders(): Order[] {
  return Array.from({ length: ORDERS }, (_, index) => ({
    customer: `customer-${(index * 7_919) % CUSTOMERS}`,
    cents: (index * 104_729) % 10_000,
  }));
}

/** The fault: `includes` searches the whole list for every name. A Set would not. */
function withoutDuplicates(names: readonly string[]): string[] {
  const found: string[] = [];
  for (const name of names) if (!found.includes(name)) found.push(name);
  return found;
}
