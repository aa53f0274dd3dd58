import { Catch, ServiceUnavailableException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { HealthCheckResult } from '@nestjs/terminus';
import type { Response } from 'express';

/** Lets a failed check out in the format of Terminus, with the `Retry-After` of every 503. */
@Catch(ServiceUnavailableException)
export class HealthFilter implements ExceptionFilter<ServiceUnavailableException> {
  catch(failed: ServiceUnavailableException, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<Response>();
    const result = failed.getResponse() as HealthCheckResult; // Terminus throws nothing else
    const { error = {}, details } = result;
    response
      .status(failed.getStatus())
      .set('Retry-After', '5')
      .json({ ...result, error: withoutMessages(error), details: withoutMessages(details) });
  }
}

/** Terminus puts the driver's text into the answer: addresses, users and paths that are nobody's business. */
function withoutMessages(indicators: Readonly<Record<string, object | undefined>>): object {
  return Object.fromEntries(
    Object.entries(indicators).map(([name, indicator]) => [name, { ...indicator, message: undefined }]),
  );
}
