import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ERRORS } from '../errors/errors';

const ROOT = path.join(__dirname, '../..');

const DOCUMENTS = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(path.join(ROOT, 'docs'), { encoding: 'utf8', recursive: true })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join('docs', name)),
];
const READMES = DOCUMENTS.filter((name) => name.startsWith('README'));

const read = (name: string) => readFileSync(path.join(ROOT, name), 'utf8');
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found = '']) => found);

/** As GitHub makes them: https://github.com/gjtorikian/html-pipeline */
function anchorsOf(text: string): string[] {
  return all(text, /^#+ (.*)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function isThere(document: string, link: string): boolean {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? document : path.join(path.dirname(document), file);
  if (!existsSync(path.join(ROOT, target))) return false;
  return anchor === undefined || anchorsOf(read(target)).includes(anchor);
}

describe('the documentation', () => {
  it.each(DOCUMENTS)('%s links to what is there', (document) => {
    const links = all(read(document), /\]\(([^)\s]+)\)/g).filter((link) => !/^\w+:/.test(link));
    expect(links.filter((link) => !isThere(document, link))).toEqual([]);
  });

  it.each(DOCUMENTS)('%s names scripts of package.json', (document) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = all(read(document), /npm run (?:-s )?([\w:-]+)/g);
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });

  it.each(READMES)('%s names codes of the registry', (document) => {
    const codes = new Set<number>(Object.values(ERRORS).map(({ code }) => code));
    const named = all(read(document), /`([45]\d{4})`/g).map(Number);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((code) => !codes.has(code))).toEqual([]);
  });

  it('says the same in both languages: examples, settings, codes and calls', () => {
    const [english, chinese] = ['README.md', 'README.zh-CN.md'].map((name) =>
      [...new Set(all(read(name), /`((?:[A-Z_]{4,}|\d{5}|(?:GET|PUT|POST) \S+?))[`?\s]/g))].sort(),
    );
    expect(chinese).toEqual(english);
  });
});
