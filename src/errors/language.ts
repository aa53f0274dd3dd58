import type { Request } from 'express';
import type { Language } from './errors';

/** Chinese unless `Accept-Language` prefers English. */
export function languageOf(request: Pick<Request, 'acceptsLanguages'>): Language {
  return request.acceptsLanguages('zh', 'en') === 'en' ? 'en' : 'zh';
}
