/** Something in the file that looks like a mistake and was kept, or left out where that is said. */
export class ImportWarning {
  /** @example "duplicate_annotation_id" */
  code!: string;
  /**
   * how often
   * @example 1
   */
  count!: number;
  /**
   * where, the first few: ids, names or places in the file
   * @example ["annotations[7] (id 3)"]
   */
  examples!: string[];
}

export class Imported {
  /** @example 1500 */
  images!: number;
  /** @example 4784 */
  annotations!: number;
  /** @example 60 */
  label_classes!: number;
  warnings!: ImportWarning[];
}
