import { Injectable, type ArgumentMetadata, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validate, type ValidationError } from 'class-validator';
import { ApiError } from '../errors/api-error';
import { ERRORS, type ErrorName } from '../errors/errors';
import { printable } from './validation';

/**
 * Turns the body, query or path of a request into its DTO, or refuses it with an error of the registry. A DTO is a class
 * whose properties carry the decorators of `validation.ts`; a property it does not have is refused.
 */
@Injectable()
export class DtoPipe implements PipeTransform {
  async transform(value: unknown, { metatype, type }: ArgumentMetadata): Promise<unknown> {
    if (type === 'custom' || metatype === undefined) return value;
    const members = membersOf(metatype);
    const plain = requireObject(value);
    for (const member of Object.keys(plain)) {
      if (!members.has(member)) throw new ApiError('UNKNOWN_PROPERTY', { member: printable(member) });
    }
    const { scalars, nested } = split(plain);
    const dto = Object.assign(plainToInstance(metatype as Type<object>, scalars), nested);
    const [fault] = await validate(dto, { stopAtFirstError: true });
    if (fault) throw new ApiError(errorOf(fault), { member: fault.property });
    return dto;
  }
}

function membersOf(dto: ArgumentMetadata['metatype'] & object): ReadonlySet<string> {
  const metadata = getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false);
  return new Set(metadata.map(({ propertyName }) => propertyName));
}

function requireObject(value: unknown): Record<string, unknown> {
  // Express 5 leaves the body of a request without one undefined, and makes the query an object without prototype.
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ApiError('BODY_NOT_AN_OBJECT');
  return { ...value };
}

/** What is nested is kept from the transformer, which would walk down into it: it is taken as it came. */
function split(plain: Record<string, unknown>): { scalars: object; nested: object } {
  const isNested = ([, value]: [string, unknown]) => typeof value === 'object' && value !== null;
  const members = Object.entries(plain);
  return {
    scalars: Object.fromEntries(members.filter((member) => !isNested(member))),
    nested: Object.fromEntries(members.filter(isNested)),
  };
}

/** A validator's name is the name of its error. */
function errorOf({ constraints = {} }: ValidationError): ErrorName {
  const [name] = Object.keys(constraints);
  if (name === undefined || !(name in ERRORS))
    throw new Error(`validator ${String(name)} has no error in the registry`);
  return name as ErrorName;
}
