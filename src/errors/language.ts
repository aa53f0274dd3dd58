import type { Request } from 'express';
import type { Language } from './errors';

/** Chinese unless `Accept-Language` prefers English: of equal wishes the first counts, and a region is none of its own. */
export function languageOf(request: Pick<Request, 'acceptsLanguages'>): Language {
  const wished = request.acceptsLanguages().find((tag) => /^(zh|en)\b/i.test(tag));
  return wished !== undefined && /^en/i.test(wished) ? 'en' : 'zh';
}
