/** Something in the file that looks like a mistake and was kept, or left out where that is said. */
export class ImportWarning {
  /** @example "duplicate_annotation_id" */
  code!: string;
  /** how often */
  count!: number;
  /** where, the first few: ids, names or places in the file */
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
