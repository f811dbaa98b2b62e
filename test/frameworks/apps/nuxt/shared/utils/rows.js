/** What a report page does with a processor: a sum for each row. */
export function rows(count) {
  return Array.from({ length: count }, (_, n) => {
    let sum = 0;
    for (let k = 1; k <= 2000; k++) sum += Math.sqrt(n * k);
    return { name: `row ${n}`, sum: sum.toFixed(3) };
  });
}
