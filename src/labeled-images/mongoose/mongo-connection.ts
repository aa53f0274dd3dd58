import type { MongooseModuleFactoryOptions } from '@nestjs/mongoose';
import mongoose from 'mongoose';
import type { DataSource } from 'typeorm';
import { StartError } from '../../config/start-error';
import { takeDocumentStore } from '../document-store';
import { claimMongo } from './installation-mark';
import { LabeledImage, LabeledImageSchema } from './labeled-image.schema';
import { isMongoAway } from './mongo-faults';
import { CONNECTION, WRITE } from './mongo-settings';

const { MongoError } = mongoose.mongo;
const { MongooseServerSelectionError } = mongoose.Error;
const VERSION_MIN = 5;

/** How the service connects. */
export function mongooseOptions(uri: string): MongooseModuleFactoryOptions {
  // Before, the start has found it in order; who started the service is waiting.
  return { ...CONNECTION, uri, retryAttempts: 0 };
}

/**
 * On a connection of its own, before the application is built: makes sure that the server is one that can be used and that
 * it belongs to this installation, and makes the index.
 * @throws StartError
 */
export async function prepareMongo(uri: string, dataSource: DataSource): Promise<void> {
  let connection: mongoose.Connection | undefined;
  try {
    connection = mongoose.createConnection(uri, CONNECTION);
    await checkServer(await connection.asPromise(), uri);
    const claim = claimMongo.bind(null, connection);
    await takeDocumentStore(dataSource, 'mongodb', claim);
    await connection.model(LabeledImage.name, LabeledImageSchema).createIndexes(WRITE);
  } catch (fault) {
    throw explain(fault, uri);
  } finally {
    await connection?.close();
  }
}

async function checkServer(connection: mongoose.Connection, uri: string): Promise<void> {
  const database = connection.db!; // it is connected
  const { setName, msg } = await database.command({ hello: 1 });
  // mongos, before sharded collections, says so.
  if (setName === undefined && msg !== 'isdbgrid') throw new StartError(standalone(uri));
  const { version, versionArray } = (await database.command({ buildInfo: 1 })) as BuildInfo;
  if ((versionArray[0] ?? 0) < VERSION_MIN) {
    throw new StartError(`MongoDB is of version ${version}; ${String(VERSION_MIN)}.0 or newer is needed.`);
  }
}

interface BuildInfo {
  readonly version: string;
  readonly versionArray: readonly number[];
}

function explain(fault: unknown, uri: string): unknown {
  if (isStandaloneInstead(fault)) return new StartError(standalone(uri), { cause: fault });
  if (isNotInitiated(fault)) return new StartError(notInitiated(uri), { cause: fault });
  if (!(fault instanceof MongoError || fault instanceof mongoose.Error)) return fault;
  const what = isMongoAway(fault) || fault instanceof MongooseServerSelectionError ? 'reached' : 'used';
  return new StartError(
    `MongoDB at ${addressOf(uri)} cannot be ${what} (${fault.message}): check MONGODB_URI.`,
    { cause: fault },
  );
}

function standalone(uri: string): string {
  return `The MongoDB server at ${addressOf(uri)} is no member of the replica set it should be, or of none: a majority must confirm what is written. Start mongod with --replSet rs0, run rs.initiate() in mongosh once, and name the set in MONGODB_URI (?replicaSet=rs0).`;
}

function notInitiated(uri: string): string {
  return `The MongoDB server at ${addressOf(uri)} is started with --replSet, but its replica set is not initiated: run rs.initiate() in mongosh once.`;
}

/** Who names a replica set in the URI gets no connection to a server that is in none, or in another one. */
function isStandaloneInstead(fault: unknown): boolean {
  return serversIn(fault)?.length === 0;
}

function isNotInitiated(fault: unknown): boolean {
  return serversIn(fault)?.some(({ type }) => type === 'RSGhost') === true;
}

/** What the driver has found at the addresses of the URI when there was no server that it could use. */
function serversIn(fault: unknown): mongoose.mongo.ServerDescription[] | undefined {
  if (!(fault instanceof MongooseServerSelectionError)) return undefined;
  return [...((fault as { reason?: mongoose.mongo.TopologyDescription }).reason?.servers.values() ?? [])];
}

/** A user, a password and the parameters are nobody's business. */
function addressOf(uri: string): string {
  return uri.replace(/^(mongodb(?:\+srv)?:\/\/)(?:[^/?]*@)?([^?]*).*$/s, '$1$2');
}
