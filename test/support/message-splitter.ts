/** Cuts what comes by a connection into whole messages. `lengthOf` is asked when there are `headBytes` of one. */
export function messageSplitter(
  headBytes: number,
  lengthOf: (bytes: Buffer) => number,
): (bytes: Buffer) => Buffer[] {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const messages: Buffer[] = [];
    while (rest.length >= headBytes && rest.length >= lengthOf(rest)) {
      const length = lengthOf(rest);
      messages.push(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    return messages;
  };
}
