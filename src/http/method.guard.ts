import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { allowedMethods } from '../errors/allowed-methods';
import { ApiError } from '../errors/api-error';

/** Refuses a request that came to a handler only because its path also fits the pattern of a less exact route. */
@Injectable()
export class MethodGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    const allowed = allowedMethods(request);
    // Express answers HEAD by the handler of GET.
    if (allowed.includes(request.method === 'HEAD' ? 'GET' : request.method)) return true;
    throw new ApiError('METHOD_NOT_ALLOWED', { allowed: allowed.join(', ') });
  }
}
