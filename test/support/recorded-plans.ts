import type { EventEmitter } from 'node:events';
import type { Client } from 'pg';
import type { TestApp } from './test-app';

/** As EXPLAIN (ANALYZE, FORMAT JSON) has it; rows are those of one loop. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Join Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** A statement as it was run: under the settings of its transaction, and with what the planner knew then. */
export interface RecordedPlan {
  readonly sql: string;
  /** All of the tree, from the top. */
  readonly nodes: readonly PlanNode[];
  readonly triggers: readonly { readonly 'Trigger Name': string; readonly Calls: number }[];
}

/** https://www.postgresql.org/docs/current/auto-explain.html */
const SETTINGS = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_timing': 'off',
  'auto_explain.log_triggers': 'on',
  // Of the triggers, too.
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_parameter_max_length': '0',
  'auto_explain.log_format': 'json',
  // Is sent to the client, and not written to the log of the server.
  'auto_explain.log_level': 'notice',
};

/** The value of PGOPTIONS under which an app must be started for `recordPlans`. */
export const TELL_PLANS = Object.entries(SETTINGS)
  .map(([name, value]) => `-c ${name}=${value}`)
  .join(' ');

/** Collects the plans of all statements that the app runs from now on, in the order in which they end. */
export function recordPlans({ dataSource }: TestApp): RecordedPlan[] {
  const recorded: RecordedPlan[] = [];
  const known = new WeakSet<Client>();
  const { master: pool } = dataSource.driver as unknown as { master: EventEmitter };
  pool.on('acquire', (client: Client) => {
    if (known.has(client)) return;
    known.add(client);
    client.on('notice', ({ message = '' }) => {
      const plan = /^duration: .* plan:\n(.*)$/s.exec(message)?.[1];
      if (plan !== undefined) recorded.push(toRecordedPlan(JSON.parse(plan)));
    });
  });
  return recorded;
}

function toRecordedPlan(explained: Record<string, unknown>): RecordedPlan {
  return {
    sql: explained['Query Text'] as string,
    nodes: nodesOf(explained['Plan'] as PlanNode),
    triggers: (explained['Triggers'] ?? []) as RecordedPlan['triggers'],
  };
}

function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
}
