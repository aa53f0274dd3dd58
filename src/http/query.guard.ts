import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import type { Request } from 'express';
import { ApiError } from '../errors/api-error';
import { printable } from './validation';

/** Nest keeps a handler's parameters under `<kind>:<index>`; this is the kind of `@Query()`. */
const QUERY_KIND = '4:';

/** Refuses query parameters where a handler takes none; where it takes some, its DTO refuses the unknown ones. */
@Injectable()
export class QueryGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const [member] = Object.keys(context.switchToHttp().getRequest<Request>().query);
    if (member === undefined || takesQuery(context)) return true;
    throw new ApiError('UNKNOWN_PROPERTY', { member: printable(member) });
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
