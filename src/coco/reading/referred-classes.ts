import type { AnnotationGroup } from './annotation-groups';
import type { ReservedClass } from '../staging/staging.repository';
import { StagingNeeded } from './staging-needed';

/** Data sets have tens or thousands. */
const CLASSES_MAX = 10_000;

/** A category that annotations refer to. */
export interface ReferredCategory {
  readonly key: string;
  /** The id that its class is to have. */
  readonly id: number;
  /** Which of all annotations refers to it first, from 0. */
  readonly seq: number;
  annotations: number;
}

/** The classes of annotations that become documents while the file is read: the categories may stand behind them. */
export class ReferredClasses {
  private readonly categories = new Map<string, ReferredCategory>();

  /** @param reserve the ids of the classes that the categories with these keys become */
  constructor(private readonly reserve: (keys: readonly string[]) => Promise<ReservedClass[]>) {}

  /** All that have been met. */
  get all(): ReferredCategory[] {
    return [...this.categories.values()];
  }

  /**
   * The ids of the classes of each group's annotations.
   * @throws StagingNeeded where there are too many to be remembered
   */
  async idsOf(groups: readonly AnnotationGroup[]): Promise<number[][]> {
    await this.reserveNew(groups);
    return groups.map(({ categoryKeys }) => categoryKeys.map((key) => this.refer(key)));
  }

  private async reserveNew(groups: readonly AnnotationGroup[]): Promise<void> {
    const firstSeqs = new Map<string, number>();
    for (const { seq, categoryKeys } of groups) {
      for (let at = 0; at < categoryKeys.length; at++) {
        const key = categoryKeys[at]!; // at is below its length
        if (this.categories.has(key)) continue;
        // The groups are in the order of their images.
        firstSeqs.set(key, Math.min(seq + at, firstSeqs.get(key) ?? Infinity));
      }
    }
    if (firstSeqs.size === 0) return;
    if (this.categories.size + firstSeqs.size > CLASSES_MAX) throw new StagingNeeded('too many categories');
    for (const { key, id } of await this.reserve([...firstSeqs.keys()])) {
      this.categories.set(key, { key, id, seq: firstSeqs.get(key)!, annotations: 0 }); // it was asked for
    }
  }

  private refer(key: string): number {
    const category = this.categories.get(key)!; // all have been reserved
    category.annotations++;
    return category.id;
  }
}
