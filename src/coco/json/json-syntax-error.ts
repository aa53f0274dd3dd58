/** The text is no JSON. `offset` is its first wrong byte, counted from the start of the file: its length if it ends too early. */
export class JsonSyntaxError extends Error {
  constructor(readonly offset: number) {
    super(`no JSON from byte ${offset} on`);
  }
}
