import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import type { Request } from 'express';
import { ApiError } from '../errors/api-error';
import { printable } from './validation';

/** Nest keeps a handler's parameters under `<kind>:<index>`; this is the kind of `@Query()`. */
const QUERY_KIND = '4:';

/**
 * Refuses a query that is not UTF-8, and query parameters where a handler takes none; where it takes some, its DTO refuses
 * the unknown ones.
 */
@Injectable()
export class QueryGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    requireDecodable(request.url);
    const [member] = Object.keys(request.query);
    if (member === undefined || takesQuery(context)) return true;
    throw new ApiError('UNKNOWN_PROPERTY', { member: printable(member) });
  }
}

/** The parser of queries would replace in silence what is not UTF-8, as in the body and the path. */
function requireDecodable(url: string): void {
  try {
    decodeURIComponent(url);
  } catch (cause) {
    throw new ApiError('BAD_REQUEST', {}, { cause });
  }
}

function takesQuery(context: ExecutionContext): boolean {
  const parameters = Reflect.getMetadata(
    ROUTE_ARGS_METADATA,
    context.getClass(),
    context.getHandler().name,
  ) as object | undefined;
  return Object.keys(parameters ?? {}).some((key) => key.startsWith(QUERY_KIND));
}
