import { LabelClassItem } from './label-class-item.dto';

export class LabelClassList {
  lab_class_list!: LabelClassItem[];
}
