import type { Answer } from '../../support/api';
import { expectNothingOrAll, expectSwept, faceOf, type TaskFace } from './invariants';
import { isWorthRepeating, untilDone, type Stage } from './stage';

export interface Duplication {
  readonly source: string;
  readonly target: string;
  /** The source, which nothing may change. */
  readonly whole: TaskFace;
}

/**
 * After a duplication that was harmed and answered this, null where the connection broke: it has happened as a whole or not
 * at all, the same request again does it, once, and nothing is left behind. Asks the harmed node, where no other is given.
 */
export async function expectSurvived(
  stage: Stage,
  { source, target, whole }: Duplication,
  answer: Answer | null,
  ask: () => Promise<Answer> = () => stage.api().then((api) => api.duplicate(source, target)),
): Promise<void> {
  const { databases } = stage;
  await expectTrue(stage, target, whole, answer);
  const done = await untilDone(ask);
  if (answer?.status === 200) expect(done.body).toEqual(answer.body);
  // What was answered can be read, and asking again answers it again.
  expect(await faceOf(databases, target)).toEqual(whole);
  const again = await stage.witnessApi.duplicate(source, target);
  expect(again.headers.get('Idempotency-Replayed')).toBe('true');
  expect(again.body).toEqual(done.body);
  await expectSwept(databases, () => stage.sweep());
  expect(await faceOf(databases, source)).toEqual(whole);
  expect(await faceOf(databases, target)).toEqual(whole);
}

/** A write that was harmed has happened as a whole or not at all, and is there where it was answered with success. */
export async function expectTrue(
  stage: Stage,
  target: string,
  whole: TaskFace,
  answer: Answer | null,
): Promise<void> {
  if (answer && answer.status !== 200 && !isWorthRepeating(answer))
    throw new Error(`answered ${answer.text}: ${stage.node.lastFault}`);
  await expectNothingOrAll(stage.databases, target, whole);
  if (answer?.status === 200) expect(await faceOf(stage.databases, target)).toEqual(whole);
}
