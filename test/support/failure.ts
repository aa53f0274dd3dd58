import { ERRORS, statusOf, type ErrorEntry, type ErrorName, type Language } from '../../src/errors/errors';
import type { PlainAnswer } from './plain-request';

type Details = Readonly<Record<string, string | number>>;

/** Words of the libraries and of the driver: none of them is for the person at the front end. */
const LEAKS =
  /node_modules|\bat .+:\d+:\d+|Exception|SyntaxError|TypeError|Unexpected (token|end)|Cannot [A-Z]+ |should not exist|QueryFailed|relation "|syntax error|\[object |undefined/;

/** The whole of a failure's contract: status, exactly `{code, msg}` in this order, its headers, nothing of the inside. */
export function expectFailure(
  answer: PlainAnswer,
  error: ErrorName,
  language: Language,
  details: Details = {},
): void {
  expect({ status: answer.status, text: answer.text }).toEqual({
    status: statusOf(error),
    text: expect.stringMatching(/^\{"code":\d{5},"msg":".+"\}$/s) as string,
  });
  const { code, msg } = JSON.parse(answer.text) as { code: number; msg: string };
  expect({ code, msg }).toEqual({
    code: ERRORS[error].code,
    msg: expect.stringMatching(messagePattern(error, language, details)) as string,
  });
  expect(msg).not.toMatch(LEAKS);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(answer.headers['x-request-id']).toMatch(/^[\w-]{36}$/);
  const { retryAfterS }: ErrorEntry = ERRORS[error];
  expect(answer.headers['retry-after']).toBe(retryAfterS === undefined ? undefined : String(retryAfterS));
}

/** The registry's sentence with these details in it; a detail that is not given may be anything. */
function messagePattern(error: ErrorName, language: Language, details: Details): RegExp {
  const source = ERRORS[error][language]
    .split(/\{(\w+)\}/)
    .map((part, at) =>
      at % 2 === 0 ? escape(part) : part in details ? escape(String(details[part])) : '[^{}]+',
    )
    .join('');
  return new RegExp(`^${source}$`, 's');
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
