import { CreateTables1795400000000 } from './1795400000000-create-tables';
import { CheckReferences1795400000001 } from './1795400000001-check-references';
import { StablePlans1795400000002 } from './1795400000002-stable-plans';
import { DocumentGarbage1795400000003 } from './1795400000003-document-garbage';
import { CheckRoisByRange1795400000004 } from './1795400000004-check-rois-by-range';

/** In the order they run; a merged one is never edited. */
export const migrations = [
  CreateTables1795400000000,
  CheckReferences1795400000001,
  StablePlans1795400000002,
  DocumentGarbage1795400000003,
  CheckRoisByRange1795400000004,
];
