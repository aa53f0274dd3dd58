import { StartError } from './start-error';

/** Every setting of the service, read once at start and frozen. */
export interface Environment {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Origins that a browser may call from. */
  readonly corsOrigins: readonly string[];
  /** Folder of the embedded database; unused where `databaseUrl` is set. */
  readonly dataDir: string;
  /** The PostgreSQL server to use instead of the embedded one. */
  readonly databaseUrl: string | undefined;
  /** The MongoDB replica set that the annotation documents live in, with its database; without one, PostgreSQL. */
  readonly mongodbUri: string | undefined;
  /** Put the sample task into an empty embedded database. */
  readonly sampleData: boolean;
  readonly migrationsRun: boolean;
  /** Duplications and imports that run at once on this node. */
  readonly maxCopies: number;
  /** Seconds between two sweeps of unreachable documents; 0: never on this node. */
  readonly sweepIntervalS: number;
  /** Seconds that replaced documents and those of deleted tasks are kept. */
  readonly sweepKeepS: number;
  /** Bytes of one COCO upload. */
  readonly maxImportBytes: number;
  /** Seconds that running requests have after SIGTERM. */
  readonly shutdownS: number;
}

/** What holds where a variable is absent or empty. A test keeps `.env.example` equal to this. */
export const DEFAULTS = {
  HOST: '127.0.0.1',
  PORT: '8000',
  CORS_ORIGINS: '',
  DATA_DIR: '.data',
  DATABASE_URL: '',
  MONGODB_URI: '',
  SAMPLE_DATA: 'true',
  MIGRATIONS_RUN: 'true',
  MAX_COPIES: '8',
  SWEEP_INTERVAL_S: '60',
  SWEEP_KEEP_S: '86400',
  MAX_IMPORT_BYTES: String(4 * 2 ** 30),
  SHUTDOWN_S: '10',
} as const;

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks the environment.
 * @throws StartError naming every fault at once
 */
export function loadEnvironment(variables: Variables): Environment {
  const faults: string[] = [];
  function read<T>(name: keyof typeof DEFAULTS, parse: (value: string) => T): T {
    try {
      // An empty variable is one that is not set: so a line `PORT=` of an env file is meant.
      return parse(variables[name]?.trim() || DEFAULTS[name]);
    } catch (fault) {
      faults.push(`${name} ${fault instanceof Error ? fault.message : String(fault)}`);
      return parse(DEFAULTS[name]);
    }
  }

  const environment: Environment = {
    host: read('HOST', String),
    port: read('PORT', integer(0, 65_535)),
    corsOrigins: read('CORS_ORIGINS', origins),
    dataDir: read('DATA_DIR', String),
    databaseUrl: read('DATABASE_URL', postgresUrl),
    mongodbUri: read('MONGODB_URI', mongodbUri),
    sampleData: read('SAMPLE_DATA', flag),
    migrationsRun: read('MIGRATIONS_RUN', flag),
    maxCopies: read('MAX_COPIES', integer(1, 16)),
    sweepIntervalS: read('SWEEP_INTERVAL_S', integer(0, 86_400)),
    sweepKeepS: read('SWEEP_KEEP_S', integer(0, 2 ** 30)),
    maxImportBytes: read('MAX_IMPORT_BYTES', integer(1, 2 ** 50)),
    shutdownS: read('SHUTDOWN_S', integer(0, 3_600)),
  };
  if (faults.length > 0) throw new StartError(`The environment is not valid: ${faults.join('; ')}.`);
  return Object.freeze(environment);
}

function integer(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max) {
      throw new Error(`must be a whole number from ${String(min)} to ${String(max)}`);
    }
    return number;
  };
}

function flag(value: string): boolean {
  if (value !== 'true' && value !== 'false') throw new Error('must be true or false');
  return value === 'true';
}

/** A comma list of scheme://host[:port], as a browser sends it in `Origin`. */
function origins(value: string): string[] {
  const list = value.split(',').flatMap((item) => item.trim() || []);
  for (const origin of list) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new Error('must be a comma list of origins such as http://localhost:3000');
    }
  }
  return list;
}

function postgresUrl(value: string): string | undefined {
  if (value === '') return undefined;
  if (!/^postgres(ql)?:\/\//.test(value) || !isReadable(value)) {
    throw new Error(
      'must be an address such as postgresql://user:password@host:5432/database, special characters encoded as %xx',
    );
  }
  return value;
}

/** Without the name of a database the driver would use one called `test`. */
function mongodbUri(value: string): string | undefined {
  if (value === '') return undefined;
  if (!/^mongodb(\+srv)?:\/\/[^/]+\/[^/?]+/.test(value)) {
    throw new Error('must be an address such as mongodb://host:27017/database?replicaSet=rs0');
  }
  return value;
}

/** The drivers take an address apart and decode it, and say what they cannot read by a stack trace. */
function isReadable(url: string): boolean {
  try {
    decodeURIComponent(url);
    return URL.canParse(url);
  } catch {
    return false;
  }
}
