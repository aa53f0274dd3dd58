/** Where the service under test keeps the annotation documents. */
export type DocumentMode = 'postgresql' | 'mongodb';

type Suite = () => void;

export function describeInEachMode(name: string, suite: (mode: DocumentMode) => void): void {
  describe(`${name} (documents in PostgreSQL)`, () => suite('postgresql'));
  describeWithMongoDb(`${name} (documents in MongoDB)`, () => suite('mongodb'));
}

/** A suite that uses mongoDatabase(). */
export function describeWithMongoDb(name: string, suite: Suite): void {
  describeWith('TEST_MONGODB_URI', name, suite);
}

/** A suite that starts servers of its own, by Mongod.start(). */
export function describeWithMongod(name: string, suite: Suite): void {
  describeWith('TEST_MONGOD_BINARY', name, suite);
}

function describeWith(variable: string, name: string, suite: Suite): void {
  const remedy = process.env['TEST_MONGOD_MISSING'] ?? '';
  if (process.env[variable] !== undefined) {
    describe(name, suite);
  } else if (process.env['CI']) {
    it(`${name}: there is a MongoDB in CI`, () => {
      throw new Error(`No MongoDB: ${remedy}.`);
    });
  } else {
    describe.skip(`${name}: NOT RUN, there is no MongoDB; ${remedy}`, suite);
  }
}
