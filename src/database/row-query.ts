/** A SELECT that says which rows to insert: a set moves inside the database, never through this process. */
export interface RowQuery {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}
