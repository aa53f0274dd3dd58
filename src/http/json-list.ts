/** Writes a list of any length as JSON text, one piece for each batch, without its brackets. */
export async function* jsonItems<Row>(batches: AsyncIterable<Row[]>, toItem: (row: Row) => unknown): AsyncGenerator<string> {
  let separator = '';
  for await (const rows of batches) {
    yield separator + rows.map((row) => JSON.stringify(toItem(row))).join(',');
    separator = ',';
  }
}
