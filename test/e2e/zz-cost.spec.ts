import { describeInEachMode } from '../support/document-mode';
import { newTaskId } from '../support/api';
import { TestApp } from '../support/test-app';
jest.setTimeout(590_000);
describeInEachMode('cost', (documents) => {
  it('100k', async () => {
    const app = await TestApp.start({}, { documents });
    const n = 100_000;
    const images = Array.from({ length: n }, (_, at) => ({ id: at, file_name: `image-${at}.jpg`, width: 640, height: 480, ...(at % 2 && { roi: [0, 0, 9, 9] }) }));
    const annotations = Array.from({ length: n * 7 }, (_, at) => ({ id: at, image_id: at % n, category_id: 1 + (at % 80), bbox: [at % 600, 1.5, 10, 20.25], segmentation: [[1, 2, 3.5, 4, 5, 6.25, 7, 8]], area: 12.5, iscrowd: 0 }));
    const categories = Array.from({ length: 80 }, (_, at) => ({ id: at + 1, name: `c${at}` }));
    const source = newTaskId(), target = newTaskId();
    const out: string[] = [];
    const time = async (what: string, work: () => Promise<{ status: number; text: string }>) => {
      const from = performance.now();
      const { status, text } = await work();
      out.push(`${documents} ${what}: ${((performance.now() - from) / 1000).toFixed(1)} s ${status} ${text.slice(0, 400)}`);
    };
    await time('import', async () => { const r = await app.api.importCoco(source, { images, annotations, categories }); return r; });
    await time('copy', () => app.api.duplicate(source, target).then((r) => ({ ...r, text: '' })));
    let peak = 0; const base = process.memoryUsage().rss;
    const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20);
    await time('verify', () => app.api.get(`/training/tasks/${target}/duplication/verification`));
    await time('verify again', () => app.api.get(`/training/tasks/${target}/duplication/verification`));
    clearInterval(timer);
    out.push(`rss ${Math.round(base / 2 ** 20)} -> peak ${Math.round(peak / 2 ** 20)} MB`);
    await time('damage all', async () => {
      await app.dataSource.query(`UPDATE image SET name = 'x', copied_from_id = copied_from_id + 1 WHERE task_id = $1`, [target]);
      return app.api.get(`/training/tasks/${target}/duplication/verification`);
    });
    process.stderr.write(out.join('\n') + '\n');
    await app.stop();
  });
});
