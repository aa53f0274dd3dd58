/** A COCO file that can be read more than once. */
export interface DataSetFile {
  read(): AsyncIterable<Buffer>;
}
