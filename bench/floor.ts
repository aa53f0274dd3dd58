import type { Client } from 'pg';
import type { Mode } from './mode';
import type { MongoDb } from './servers';

/**
 * The least that the databases can do: in one transaction one plain `INSERT … SELECT` for each table, into the same tables
 * with all their columns, indexes, constraints and triggers. New ids are the old ones plus a constant, and nothing is
 * looked up, numbered anew, planned, locked or compared. Documents in PostgreSQL are copied untouched.
 */
export class RowFloor {
  private constructor(
    private readonly client: Client,
    private readonly statements: readonly string[],
  ) {}

  /** @param client a connection for this alone, kept as the service keeps its own */
  static async on(client: Client, mode: Mode): Promise<RowFloor> {
    const statements: string[] = [];
    for (const [table, replaced] of Object.entries(REPLACED[mode])) {
      const { rows } = await client.query<{ name: string }>(WRITABLE_COLUMNS, [table]);
      const columns = rows.map(({ name }) => name);
      const values = columns.map((name) => replaced[name] ?? name);
      statements.push(
        `INSERT INTO ${table} (${columns.join(', ')})
         SELECT ${values.join(', ')}
         FROM ${table}
         WHERE task_id = $1::bigint`,
      );
    }
    return new RowFloor(client, statements);
  }

  /** The commit is part of it, and is on disk. */
  async copy(source: string, target: string): Promise<void> {
    await this.client.query('BEGIN');
    for (const statement of this.statements) await this.client.query(statement, [source, target]);
    await this.client.query('COMMIT');
  }
}

const SHIFT = 1_000;
const SHIFTED_DOCUMENT = (column: string): string =>
  `left(${column}, 5) || (substr(${column}, 6)::bigint + ${SHIFT})`;

/** By table and column: what is written instead of what is there. */
type Replaced = Readonly<Record<string, Readonly<Record<string, string>>>>;

const ROWS: Replaced = {
  task: { task_id: '$2::bigint', created_at: 'now()' },
  label_class: { task_id: '$2::bigint', copied_from_id: 'id' },
  image: { task_id: '$2::bigint', id: `id + ${SHIFT}`, copied_from_id: 'id' },
  roi_image: {
    task_id: '$2::bigint',
    id: `id + ${SHIFT}`,
    image_id: `image_id + ${SHIFT}`,
    copied_from_id: 'id',
  },
};

const REPLACED: Readonly<Record<Mode, Replaced>> = {
  // The documents of the other floor keep their ids.
  mongo: ROWS,
  postgres: {
    ...ROWS,
    image: { ...ROWS['image'], mongo_id: SHIFTED_DOCUMENT('mongo_id') },
    labeled_image: {
      task_id: '$2::bigint',
      id: SHIFTED_DOCUMENT('id'),
      img_id: `img_id + ${SHIFT}`,
      img_roi_id: `img_roi_id + ${SHIFT}`,
    },
  },
};

/** Ids of label classes are made by PostgreSQL. */
const WRITABLE_COLUMNS = `
  SELECT attname AS name
  FROM pg_attribute
  WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = '' AND attgenerated = ''
  ORDER BY attnum`;

const WRITTEN_BY_FLOOR = 'written_by_floor';

/** The same for documents in MongoDB: copied as they are, ids and all, inside the server, into a collection of their own. */
export class DocumentFloor {
  constructor(private readonly db: MongoDb) {}

  /** @param indexed whether that collection has the index that the product's has */
  async prepare(indexed: boolean): Promise<void> {
    await this.db.dropCollection(WRITTEN_BY_FLOOR).catch(() => undefined);
    if (!indexed) return;
    const indexes = await this.db.collection('labeled_image').indexes();
    for (const { key } of indexes) await this.db.collection(WRITTEN_BY_FLOOR).createIndexes([{ key }]);
  }

  async copy(source: string): Promise<void> {
    const stages = [{ $match: { task_id: BigInt(source) } }, { $out: WRITTEN_BY_FLOOR }];
    await this.db
      .collection('labeled_image')
      .aggregate(stages, { writeConcern: { w: 'majority', journal: true } })
      .toArray();
  }

  /** @throws where a document is missing */
  async assertCopied(source: string): Promise<void> {
    const wanted = await this.db.collection('labeled_image').countDocuments({ task_id: BigInt(source) });
    const copied = await this.db.collection(WRITTEN_BY_FLOOR).countDocuments();
    if (copied !== wanted) throw new Error(`${copied} of ${wanted} documents were copied by $out`);
  }

  async clear(): Promise<void> {
    await this.db.dropCollection(WRITTEN_BY_FLOOR);
  }
}
