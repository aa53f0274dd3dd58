import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DEFAULTS, loadEnvironment } from './environment';
import { StartError } from './start-error';

describe('the environment', () => {
  it('has a default for everything', () => {
    expect(loadEnvironment({})).toMatchObject({ host: '127.0.0.1', port: 8000, corsOrigins: [] });
  });

  it('takes an empty variable as one that is not set', () => {
    expect(loadEnvironment({ PORT: '', HOST: ' ' })).toEqual(loadEnvironment({}));
  });

  it('reads a list of origins', () => {
    const { corsOrigins } = loadEnvironment({ CORS_ORIGINS: 'http://localhost:3000, https://a.example' });
    expect(corsOrigins).toEqual(['http://localhost:3000', 'https://a.example']);
  });

  it('names all faults at once', () => {
    const load = () => loadEnvironment({ PORT: '80000', SAMPLE_DATA: 'yes', DATABASE_URL: 'mysql://x' });
    expect(load).toThrow(StartError);
    expect(load).toThrow(/PORT must.*DATABASE_URL must.*SAMPLE_DATA must/);
  });

  it.each([
    ['PORT', '8e3'],
    ['PORT', '-1'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'http://a.example/path'],
    ['SHUTDOWN_S', '1.5'],
    ['MONGODB_URI', 'mongodb://localhost'],
  ])('refuses %s=%s', (name, value) => {
    expect(() => loadEnvironment({ [name]: value })).toThrow(name);
  });

  it('stands in .env.example, name for name and default for default', () => {
    const file = readFileSync(path.join(__dirname, '../../.env.example'), 'utf8');
    const lines = file.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const example = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
    expect(example).toEqual(DEFAULTS);
  });
});
