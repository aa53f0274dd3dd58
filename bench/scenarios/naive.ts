import { median, type Figure } from '../figure';
import { copyNaively, type NaiveForm } from '../naive-copy';
import type { Scenario, Stage } from '../scenario';

/** Larger ones take minutes, and cost no less an image. */
const FORMS = [
  { form: 'row by row', size: 2_000, goal: 150 },
  { form: 'chunked', size: 10_000, goal: 20 },
] as const satisfies { form: NaiveForm; size: number; goal: number }[];
const PRODUCT_SIZE_MAX = 100_000;
const US_PER_S = 1_000_000;

/** What is usually written instead of a copy inside the databases; compared by what an image costs. */
export const naive: Scenario = {
  name: 'naive',
  about: 'repository.save() and Model.create() row by row (2k images), chunked save() and insertMany() (10k)',
  runs: 'once',
  sizeMax: PRODUCT_SIZE_MAX,
  measure: async (stage) => {
    const { mode, size } = stage;
    const base = { scenario: 'naive', mode, size, unit: 'µs' } as const;
    const product = await productCost(stage);
    const figures: Figure[] = [{ ...base, what: 'product, an image', values: product }];
    for (const { form, size: naiveSize, goal } of FORMS) {
      const costs = await naiveCost(stage, form, naiveSize);
      const ratios = costs.map((cost) => cost / median(product));
      figures.push(
        { ...base, what: `${form}, an image`, values: costs },
        {
          ...base,
          what: `${form} / product`,
          unit: 'x',
          values: ratios,
          ...(size === PRODUCT_SIZE_MAX && { goal: { atLeast: goal } }),
        },
      );
    }
    return figures;
  },
};

async function productCost({ installation, size, runs, say }: Stage): Promise<number[]> {
  const source = await installation.source(size);
  return installation.withService(async (service) => {
    const costs: number[] = [];
    await installation.warmUp((from, to) => service.duplicate(from, to));
    for (let run = 1; run <= runs; run++) {
      say(`product, ${run} of ${runs}`);
      const target = installation.newId();
      await installation.settle();
      const { sentAt, firstByteAt } = await service.duplicate(source.id, target);
      costs.push(((firstByteAt - sentAt) / 1_000 / size) * US_PER_S);
      await installation.remove(target);
    }
    return costs;
  });
}

async function naiveCost(
  { installation, runs, say }: Stage,
  form: NaiveForm,
  size: number,
): Promise<number[]> {
  const source = await installation.source(size);
  const costs: number[] = [];
  for (let run = 1; run <= runs; run++) {
    say(`${form}, ${run} of ${runs}`);
    const target = installation.newId();
    await installation.settle();
    const seconds = await copyNaively(installation, source, target, form);
    costs.push((seconds / size) * US_PER_S);
    await installation.assertCopied(source, target);
    await installation.remove(target);
  }
  return costs;
}
