/** A start that cannot go on, told to the operator in one plain sentence; main prints `message` without a stack and exits 1. */
export class StartError extends Error {}
