import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';

interface Documentation {
  readonly status?: 200 | 201;
  readonly description: string;
  /** `成功` where nothing else is said. */
  readonly msg?: string;
  readonly headers?: Record<string, { description: string; schema: { type: 'string' } }>;
}

/** Documents the answer of an endpoint: the members of `dto`, if there are any, in the envelope that every answer has. */
export function AnswersWith(dto: Type | null, documentation: Documentation): MethodDecorator {
  const { status = 200, description, msg = '成功', headers } = documentation;
  return applyDecorators(
    ApiExtraModels(...(dto ? [dto] : [])),
    ApiResponse({
      status,
      description,
      ...(headers && { headers }),
      schema: {
        allOf: [
          {
            type: 'object',
            required: ['code', 'msg'],
            properties: { code: { type: 'integer', enum: [0] }, msg: { type: 'string', example: msg } },
          },
          ...(dto ? [{ $ref: getSchemaPath(dto) }] : []),
        ],
      },
    }),
  );
}
