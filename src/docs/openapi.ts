import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from '../../ormconfig';
import { AppModule } from '../app.module';
import { loadEnvironment } from '../config/environment';

const DESCRIPTION = `
Duplicate an image-annotation training task: all or nothing, exactly once, every reference rewritten.

Every answer is \`{code, msg, …}\`. \`code\` is 0 for success; a failure has an HTTP status and nothing but \`code\` and \`msg\`,
in Chinese, or in English where \`Accept-Language\` prefers it. Only what carries \`Retry-After\` is worth repeating.
Ids of tasks, images and ROIs are 19 digits in a string: they exceed what a JavaScript number holds.
`;

/** Serves `/docs` and `/docs-json`. */
export function serveDocs(app: NestExpressApplication): void {
  SwaggerModule.setup('docs', app, () => describe(app), {
    jsonDocumentUrl: 'docs-json',
    customSiteTitle: 'training-tasks',
    swaggerOptions: { displayRequestDuration: true, tryItOutEnabled: false },
  });
}

/** The description without a running service, for the committed openapi.json: nothing is made that needs a database. */
export async function createOpenApi(): Promise<OpenAPIObject> {
  const module = AppModule.register(loadEnvironment({}), new DataSource(dataSourceOptions('')));
  const app = await NestFactory.create<NestExpressApplication>(module, { preview: true, logger: false });
  return describe(app);
}

function describe(app: NestExpressApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('training-tasks')
    .setDescription(DESCRIPTION.trim())
    .setVersion('1')
    .addTag('duplication', 'copy a task')
    .addTag('tasks', 'create, find')
    .addTag('content', 'what a task owns')
    .addTag('coco', 'data in and out')
    .addTag('health', 'for probes')
    .build();
  const document = SwaggerModule.createDocument(app, config);
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Failure: FAILURE },
  };
  return document;
}

const FAILURE = {
  type: 'object',
  required: ['code', 'msg'],
  additionalProperties: false,
  properties: {
    code: { type: 'integer', description: 'status × 100 + n, one for each kind of failure' },
    msg: { type: 'string', description: 'what went wrong, for the person at the front end' },
  },
};
