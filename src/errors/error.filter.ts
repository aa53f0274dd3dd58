import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { isDatabaseAway } from '../database/database-faults';
import { ApiError } from './api-error';
import { errorAnswer } from './error-answer';
import { fromHttpFault, isHttpFault } from './http-fault';
import { languageOf } from './language';
import { readToEnd } from './read-to-end';

/** The only place that writes an error answer: whatever is thrown becomes an entry of the registry here. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('Errors');

  catch(thrown: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    this.answer(thrown, request, response);
  }

  answer(thrown: unknown, request: Request, response: Response): void {
    const requestId = String(response.getHeader('X-Request-Id'));
    const error = toApiError(thrown, request, requestId);
    const { status, headers, body } = errorAnswer(error, languageOf(request));
    // Who refuses because he is told to stop has nothing to report.
    if (status >= 500 && error.errorName !== 'SHUTTING_DOWN') this.report(thrown, request, requestId);
    // The head is out already: cut the answer, so that nobody takes what came for the whole.
    if (response.headersSent) {
      response.destroy();
    } else {
      readToEnd(request);
      response.status(status).set(headers).json(body);
    }
  }

  private report(thrown: unknown, request: Request, requestId: string): void {
    const reason = thrown instanceof ApiError ? (thrown.cause ?? thrown) : thrown;
    const error = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    this.logger.error({
      event: 'request_failed',
      requestId,
      method: request.method,
      path: request.path,
      error,
    });
  }
}

function toApiError(thrown: unknown, request: Request, requestId: string): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (isHttpFault(thrown)) return fromHttpFault(thrown, request);
  if (isDatabaseAway(thrown)) return new ApiError('DATABASE_AWAY', {}, { cause: thrown });
  return new ApiError('INTERNAL', { requestId }, { cause: thrown });
}
