import { readdirSync } from 'node:fs';
import { serverProcesses } from './support/database';
import { cleanUp, Program, tempFolder } from './support/program';
import { eventually } from '../support/eventually';

afterAll(cleanUp);

describe('demo', () => {
  it('duplicates, is killed while it copies, repeats and verifies, and leaves nothing behind', async () => {
    // All that it makes goes here.
    const temp = await tempFolder();
    const program = Program.start(['demo'], {
      // Settings of another service play no part.
      env: {
        TMPDIR: temp,
        PORT: '1',
        DATABASE_URL: 'postgresql://nowhere.invalid/x',
        MONGODB_URI: 'mongodb://x/y',
      },
    });
    const [dataDir] = await eventually('its folder', () => {
      const names = readdirSync(temp).filter((name) => name.startsWith('training-tasks-demo-'));
      return names.length > 0 && names.map((name) => `${temp}/${name}`);
    });
    const { code, stdout, stderr } = await program.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /POST \/training\/tasks\/duplication \{"task_id_old":"2018102439652891014","task_id":"2018102439652891056"\}/,
    );
    expect(stdout).toMatch(/复制任务成功: 36 images, 24 ROIs, 4 label classes, 27 annotation documents/);
    expect(stdout).toMatch(/The same request again\n +the same answer, and nothing was copied/);
    expect(stdout).toMatch(/ {2}class {2}\d+ → \d+\n/);
    expect(stdout).toMatch(
      / {2}image {2}\d{19} → \d{19}\n {4}ROI {6}\d{19} → \d{19}\n {4}document [0-9a-f]{24} → [0-9a-f]{24}\n/,
    );
    expect(stdout).toMatch(/duplication says running: kill -9, and no answer\n/);
    expect(stdout).toMatch(/started again.*: 404, the target does not exist\n.*: the attempt is failed\n/s);
    expect(stdout).toMatch(
      /复制任务成功 in [\d.]+ s: 30000 images, 15000 ROIs, 4 label classes, 22500 annotation documents\n/,
    );
    expect(stdout).toMatch(
      /a third time\n +Idempotency-Replayed: true, the same answer, and nothing was copied\n/,
    );
    expect(stdout).toMatch(/ {2}verified: counts ok, ids ok, references ok, content ok\n/);
    expect(serverProcesses(dataDir!)).toEqual([]);
    expect(readdirSync(temp)).toEqual([]);
  });

  it('leaves no process running when it is killed itself', async () => {
    const temp = await tempFolder();
    const program = Program.start(['demo'], { env: { TMPDIR: temp } });
    await program.prints(/runs at (\S+)/);
    const [name] = readdirSync(temp).filter((name) => name.startsWith('training-tasks-demo-'));
    program.kill('SIGKILL');
    await program.ended;
    await eventually('its database has gone', () => serverProcesses(`${temp}/${name!}`).length === 0);
  });
});
