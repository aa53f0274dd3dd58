/** What the first image of a data set, its document and its ROI get; the others follow, each kind in the images' order. */
export interface ReservedIds {
  readonly image: bigint;
  /** The number in the id of a document, behind the installation's prefix. */
  readonly document: bigint;
  readonly roi: bigint;
  readonly documentPrefix: string;
}
