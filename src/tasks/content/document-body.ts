import type { Request } from 'express';

/** Requests whose body holds a document: all annotations of an image. */
export function isDocument({ method, path }: Pick<Request, 'method' | 'path'>): boolean {
  return method === 'PUT' && /^\/training\/tasks\/[^/]+\/images\/[^/]+\/annotations\/?$/i.test(path);
}
