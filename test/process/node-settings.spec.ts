import { readFileSync } from 'node:fs';
import path from 'node:path';

/** What keeps the memory of the service small is on its command line and in its environment (decisions 0012 and 0015). */
describe('the settings of Node', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
  const start = scripts.start.split(' ');
  const options = start.filter((word) => word.startsWith('--'));
  const environment = start.filter((word) => word.startsWith('MALLOC_'));

  it('are the same in the container as with npm start', () => {
    const dockerfile = read('Dockerfile');
    const [, command] = /^CMD (\[.*\])$/m.exec(dockerfile)!;
    expect(JSON.parse(command!)).toEqual(['node', ...options, 'dist/src/main.js', 'serve']);
    expect(environment).toHaveLength(1);
    expect(/^ENV .*/m.exec(dockerfile)![0].split(' ')).toContain(environment[0]);
  });

  it('are the same in docs/operations.md', () => {
    const told = read('docs/operations.md');
    expect(told).toContain(`\`${options.join(' ')}\``);
    expect(told).toContain(`\`${environment.join(' ')}\``);
  });
});

function read(name: string): string {
  return readFileSync(path.join(__dirname, '../..', name), 'utf8');
}
