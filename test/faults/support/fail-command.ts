import mongoose from 'mongoose';

const { MongoClient } = mongoose.mongo;

/** https://github.com/mongodb/mongo/wiki/The-failCommand-Fail-Point */
export interface Failure {
  readonly errorCode?: number;
  readonly writeConcernError?: { readonly code: number; readonly errmsg: string };
  readonly closeConnection?: true;
  readonly blockConnection?: true;
  readonly blockTimeMS?: number;
}

/** `times` from now on, for ever, or for ever after so many that go well. */
export type HowOften = 'alwaysOn' | { readonly times: number } | { readonly skip: number };

/** Makes a mongod with test commands fail what one client asks, by the name that this client gives itself. */
export class FailCommand {
  private constructor(readonly client: InstanceType<typeof MongoClient>) {}

  static async connect(uri: string): Promise<FailCommand> {
    return new FailCommand(await new MongoClient(uri).connect());
  }

  async set(
    appName: string,
    failCommands: readonly string[],
    failure: Failure,
    mode: HowOften,
  ): Promise<void> {
    const data = { appName, failCommands, ...failure };
    await this.client.db('admin').command({ configureFailPoint: 'failCommand', mode, data });
  }

  async off(): Promise<void> {
    await this.client.db('admin').command({ configureFailPoint: 'failCommand', mode: 'off' });
  }

  close(): Promise<void> {
    return this.client.close();
  }
}
