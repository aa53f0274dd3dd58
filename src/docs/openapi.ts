import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { AppModule } from '../app.module';
import { loadEnvironment } from '../config/environment';

const DESCRIPTION = `
Duplicate an image-annotation training task: all or nothing, exactly once, every reference rewritten.

Every answer is \`{code, msg, …}\`. \`code\` is 0 for success; a failure has an HTTP status and nothing but \`code\` and
\`msg\`, in Chinese, or in English where \`Accept-Language\` prefers it. Only what carries \`Retry-After\` is worth repeating.
Every answer has \`X-Request-Id\`, which the log of the service names. Ids of tasks, images and ROIs are 19 digits in a
string: they exceed what a JavaScript number holds.

The examples are of the sample task that a first start makes, and work as they are.
`;

/**
 * Serves `/docs` and `/docs-json`.
 * @param exampleImage an image of the sample task: its ids are made by the database, so only a running service knows them
 */
export function serveDocs(
  app: NestExpressApplication,
  exampleImage: () => Promise<string | undefined>,
): void {
  SwaggerModule.setup('docs', app, () => describe(app), {
    jsonDocumentUrl: 'docs-json',
    raw: ['json'],
    customSiteTitle: 'training-tasks',
    customCss: CSS,
    swaggerOptions: { displayRequestDuration: true, defaultModelsExpandDepth: 0 },
    patchDocumentOnRequest: async (_request, _response, document) => {
      const image = await exampleImage();
      return image === undefined ? document : withImage(document, image);
    },
  });
}

/** There is one description, so no bar to switch between several, and it has no links between answers. */
const CSS = '.swagger-ui .topbar, .swagger-ui .response-col_links { display: none }';

/** The description without a running service, for the committed openapi.json: nothing is made that needs a database. */
export async function createOpenApi(): Promise<OpenAPIObject> {
  const module = AppModule.register(loadEnvironment({}), new DataSource({ type: 'postgres' }));
  const app = await NestFactory.create<NestExpressApplication>(module, { preview: true, logger: false });
  return describe(app);
}

function describe(app: NestExpressApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('training-tasks')
    .setDescription(DESCRIPTION.trim())
    .setVersion('1')
    .addTag('duplication', 'copy a task')
    .addTag('tasks', 'create, find, change, delete')
    .addTag('content', 'what a task owns')
    .addTag('coco', 'data in and out')
    .addTag('health', 'for probes')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    autoTagControllers: false,
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
  });
  delete document.info.contact; // an empty one, of the builder
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Failure: FAILURE },
  };
  complete(document);
  return document;
}

/** Says what the types of TypeScript leave open. */
function complete({ components, paths }: OpenAPIObject): void {
  const parameters = Object.values(paths).flatMap((path) =>
    METHODS.flatMap((method) => path[method]?.parameters ?? []),
  );
  const members = Object.values(components?.schemas ?? {}).flatMap((schema) =>
    'properties' in schema ? Object.values(schema.properties ?? {}) : [],
  );
  for (const schema of [
    ...parameters.map((parameter) => 'schema' in parameter && parameter.schema),
    ...members,
  ]) {
    if (!schema || !('type' in schema)) continue;
    // Every number that a DTO declares is whole; coordinates are described by hand.
    if (schema.type === 'number') schema.type = 'integer';
    if (schema.items && 'type' in schema.items && schema.items.type === 'number')
      schema.items.type = 'integer';
    // An enum is a closed list: null has to be in it, too (OpenAPI 3.0.3, nullable).
    if (schema.nullable && schema.enum && !schema.enum.includes(null))
      schema.enum = [...(schema.enum as unknown[]), null];
  }
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

function withImage(document: OpenAPIObject, image: string): OpenAPIObject {
  for (const path of Object.values(document.paths)) {
    for (const parameter of METHODS.flatMap((method) => path[method]?.parameters ?? [])) {
      if ('name' in parameter && parameter.name === 'img_id')
        parameter.schema = { type: 'string', example: image };
    }
  }
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
