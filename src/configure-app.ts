import type { Server } from 'node:http';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { isUpload } from './coco/upload';
import type { Environment } from './config/environment';
import { serveDocs } from './docs/openapi';
import { ErrorFilter } from './errors/error.filter';
import { answerConnectionFaults } from './http/connection-faults';
import { DtoPipe } from './http/dto.pipe';
import { idleBody } from './http/idle-body';
import { jsonBody } from './http/json-body';
import { MethodGuard } from './http/method.guard';
import { answerOptions } from './http/options';
import { QueryGuard } from './http/query.guard';
import { requestId } from './http/request-id';
import { requireHost } from './http/require-host';
import { ShutdownGate } from './http/shutdown-gate';
import { exampleImage } from './sample/example-image';
import { isDocument } from './tasks/content/document-body';

/**
 * All that happens around the controllers, the same for the service and for every test of it. The application must be made
 * without Nest's own body parser.
 * @returns the gate that stops new requests
 */
export function configureApp(app: NestExpressApplication, { corsOrigins }: Environment): ShutdownGate {
  const filter = new ErrorFilter();
  const gate = new ShutdownGate();
  app.disable('x-powered-by').disable('etag');
  // In this order: an answer has an id and its CORS headers whatever is wrong with the request.
  app.use(requestId);
  if (corsOrigins.length > 0) app.enableCors({ origin: [...corsOrigins], exposedHeaders: EXPOSED_HEADERS });
  app.use(requireHost);
  app.use(gate.middleware);
  app.use(answerOptions);
  app.use(idleBody(filter.answer.bind(filter)));
  app.use(jsonBody(isUpload, isDocument));
  app.useGlobalGuards(new MethodGuard(), new QueryGuard());
  app.useGlobalPipes(new DtoPipe());
  app.useGlobalFilters(filter);
  serveDocs(app, () => exampleImage(app));
  configureServer(app.getHttpServer());
  return gate;
}

const EXPOSED_HEADERS = ['Retry-After', 'X-Request-Id', 'Idempotency-Replayed'];

function configureServer(server: Server & { requireHostHeader?: boolean }): void {
  // An upload may take as long as it takes; one that stops is ended by idleBody.
  server.requestTimeout = 0;
  server.requireHostHeader = false;
  answerConnectionFaults(server);
}
