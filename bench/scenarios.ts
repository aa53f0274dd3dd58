import type { Scenario } from './scenario';
import { answer } from './scenarios/answer';
import { bystanders } from './scenarios/bystanders';
import { coco } from './scenarios/coco';
import { copy } from './scenarios/copy';
import { maps } from './scenarios/maps';
import { memory } from './scenarios/memory';
import { naive } from './scenarios/naive';
import { peer } from './scenarios/peer';
import { phases } from './scenarios/phases';
import { smallTasks } from './scenarios/small-tasks';

/** In the order in which they are run and shown. */
export const SCENARIOS: readonly Scenario[] = [
  copy,
  answer,
  maps,
  memory,
  coco,
  smallTasks,
  bystanders,
  naive,
  peer,
  phases,
];
