import { PageQuery } from '../../http/page.dto';
import { Check, isStorable, MayBeAbsent } from '../../http/validation';

const isSearch = (value: unknown) => typeof value === 'string' && value.length <= 200 && isStorable(value);

export class ListTasksQuery extends PageQuery {
  /** a part of the name, whatever its case, or the beginning of an id */
  @MayBeAbsent()
  @Check('NOT_A_SEARCH', isSearch)
  search?: string;
}
