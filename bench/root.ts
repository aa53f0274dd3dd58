/** The project's folder: scripts/bench.mjs starts the benchmarks in it, for they are compiled to another place. */
export const ROOT = process.cwd();
