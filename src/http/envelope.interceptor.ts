import {
  Injectable,
  StreamableFile,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { concatMap, type Observable } from 'rxjs';
import { languageOf } from '../errors/language';
import { MemberStream, streamText } from './streamed-answer';

const SUCCESS = { zh: '成功', en: 'OK' } as const;

/** Makes `{code, msg, …}` of the members that a handler answers, whether they come at once or piece by piece. */
@Injectable()
export class Envelope implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const msg = SUCCESS[languageOf(http.getRequest<Request>())];
    return next.handle().pipe(concatMap((answer: object) => wrap(answer, msg, http.getResponse<Response>())));
  }
}

async function wrap(answer: object, msg: string, response: Response): Promise<object> {
  if (answer instanceof StreamableFile) return answer;
  if (!(answer instanceof MemberStream)) return { code: 0, msg, ...answer };
  const stream = await streamText(enclose(answer, answer.msg ?? msg));
  response.set(answer.headers);
  return stream;
}

async function* enclose({ members }: MemberStream, msg: string): AsyncGenerator<string> {
  // The first piece may still fail: then the answer is an error, and no envelope has been begun.
  let opening = `{"code":0,"msg":${JSON.stringify(msg)},`;
  for await (const piece of members) {
    yield opening + piece;
    opening = '';
  }
  yield '}';
}
