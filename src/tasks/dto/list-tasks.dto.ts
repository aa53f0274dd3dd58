import { PageQuery } from '../../http/page.dto';
import { Check, isName, MayBeAbsent } from '../../http/validation';

const isSearch = (value: unknown) => value === '' || isName(value, 200);

export class ListTasksQuery extends PageQuery {
  /** a part of the name, whatever its case, or the beginning of an id */
  @MayBeAbsent()
  @Check('NOT_A_SEARCH', isSearch)
  search?: string;
}
