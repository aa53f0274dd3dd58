import { readdirSync } from 'node:fs';
import { serverProcesses } from './support/database';
import { cleanUp, Program, tempFolder } from './support/program';
import { eventually } from '../support/eventually';

afterAll(cleanUp);

describe('demo', () => {
  it('duplicates a sample twice, tells what happened, and leaves nothing behind', async () => {
    // All that it makes goes here.
    const temp = await tempFolder();
    const program = Program.start(['demo'], {
      env: { TMPDIR: temp, PORT: '1', DATABASE_URL: 'postgresql://nowhere.invalid/x' },
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
    expect(serverProcesses(dataDir!)).toEqual([]);
    expect(readdirSync(temp)).toEqual([]);
  });
});
