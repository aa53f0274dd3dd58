import type { ErrorDetails, ErrorName } from './errors';

/** A failure that the client is told of, by its name in the registry. The reason behind it goes into `cause` and the log. */
export class ApiError extends Error {
  constructor(
    readonly errorName: ErrorName,
    readonly details: ErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(errorName, options);
  }
}
