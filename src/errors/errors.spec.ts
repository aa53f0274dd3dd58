import { ERRORS, messageOf, statusOf, type ErrorEntry, type ErrorName } from './errors';

const NAMES = Object.keys(ERRORS) as ErrorName[];
const entry = (name: ErrorName): ErrorEntry => ERRORS[name];
const placeholders = (message: string) => [...new Set(message.match(/\{\w+\}/g))].sort();

describe('the registry of errors', () => {
  it('gives every error a code of its own', () => {
    expect(new Set(NAMES.map((name) => entry(name).code)).size).toBe(NAMES.length);
  });

  it.each(NAMES)('%s: status × 100 + n, with the same details in both languages', (name) => {
    expect(statusOf(name)).toBeGreaterThanOrEqual(400);
    expect(statusOf(name)).toBeLessThan(600);
    expect(entry(name).code % 100).toBeGreaterThan(0);
    expect(placeholders(entry(name).zh)).toEqual(placeholders(entry(name).en));
  });

  it('says Retry-After exactly for busy and for 503', () => {
    const worthRepeating = NAMES.filter((name) => entry(name).retryAfterS !== undefined);
    expect(worthRepeating).toEqual(NAMES.filter((name) => name === 'TASK_BUSY' || statusOf(name) === 503));
  });

  it('fills in the details', () => {
    expect(messageOf('NOT_A_TASK_ID', { member: 'task_id' }, 'zh')).toBe('task_id 必须是 19 位数字的字符串');
    expect(messageOf('TASK_NOT_FOUND', { id: '1' }, 'en')).toBe('Task 1 does not exist');
  });
});
