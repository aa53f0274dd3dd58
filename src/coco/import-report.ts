import { ApiError } from '../errors/api-error';
import type { LocalText } from '../errors/errors';
import { describeFault, type DataSetFault } from './data-set-faults';
import type { ImportWarning } from './dto/imported.dto';

/** So many are named; the rest is counted. */
export const EXAMPLES_MAX = 5;
const EXAMPLE_CHARACTERS_MAX = 80;

/** Something that looks like a mistake, and does no harm. Each kind is a code of the answer. */
export type ImportDirt =
  | 'duplicate_annotation_id'
  | 'annotation_without_id'
  | 'annotation_id_zero'
  | 'image_id_zero'
  | 'category_id_zero'
  | 'unused_category'
  | 'duplicate_category_name'
  | 'zero_size_box'
  | 'short_polygon'
  | 'odd_polygon'
  /** Left out. */
  | 'reserved_member_left_out'
  | 'top_level_member_left_out';

/** Something that only the whole file shows, as often as it is there; `at` names the first few. */
export interface Finding<Kind> {
  readonly kind: Kind;
  readonly count: number;
  readonly at: readonly string[];
}

/** Counts what is found in a data set and keeps the first few of each kind: its size does not grow with the file. */
export class ImportReport {
  private faultCount = 0;
  private readonly faultTexts: LocalText[] = [];
  private readonly dirt = new Map<ImportDirt, ImportWarning>();

  fault(kind: DataSetFault, at: string): void {
    this.addFaults([{ kind, count: 1, at: [at] }]);
  }

  addFaults(findings: readonly Finding<DataSetFault>[]): void {
    for (const { kind, count, at } of findings) {
      this.faultCount += count;
      const room = EXAMPLES_MAX - this.faultTexts.length;
      this.faultTexts.push(...at.slice(0, room).map((example) => describeFault(kind, shorten(example))));
    }
  }

  warn(kind: ImportDirt, at: string): void {
    this.addDirt([{ kind, count: 1, at: [at] }]);
  }

  addDirt(findings: readonly Finding<ImportDirt>[]): void {
    for (const { kind, count, at } of findings) {
      const warning = this.dirt.get(kind) ?? { code: kind, count: 0, examples: [] };
      warning.count += count;
      warning.examples.push(...at.slice(0, EXAMPLES_MAX - warning.examples.length).map(shorten));
      this.dirt.set(kind, warning);
    }
  }

  get hasFaults(): boolean {
    return this.faultCount > 0;
  }

  get warnings(): ImportWarning[] {
    return [...this.dirt.values()];
  }

  /** @throws ApiError FAULTY_DATA_SET */
  throwFaults(): void {
    if (!this.hasFaults) return;
    const more = this.faultCount > this.faultTexts.length ? '; …' : '';
    throw new ApiError('FAULTY_DATA_SET', {
      count: this.faultCount,
      faults: {
        zh: this.faultTexts.map(({ zh }) => zh).join('; ') + more,
        en: this.faultTexts.map(({ en }) => en).join('; ') + more,
      },
    });
  }
}

function shorten(text: string): string {
  const short = text.length > EXAMPLE_CHARACTERS_MAX ? `${text.slice(0, EXAMPLE_CHARACTERS_MAX)}…` : text;
  return short.toWellFormed();
}
