/** Writes a list, or the members of an object, of any length: one piece of text for each batch, without the brackets. */
export async function* jsonItems<Row>(
  batches: AsyncIterable<Row[]>,
  toJson: (row: Row) => string,
): AsyncGenerator<string> {
  let separator = '';
  for await (const rows of batches) {
    yield separator + rows.map(toJson).join(',');
    separator = ',';
  }
}

export function jsonMember(name: string, value: unknown): string {
  return `${JSON.stringify(name)}:${JSON.stringify(value)}`;
}
