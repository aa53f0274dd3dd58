// Who may import whom, checked: a refused import is told the sentence that forbids it.
import plugin from 'eslint-plugin-boundaries';

const FEATURE = ['errors', 'http', 'database'];

/** Each folder of src, what it may import besides itself, and why nothing else. */
const FOLDERS = {
  config: {
    mayImport: [],
    because: 'the environment stands below everything and knows nobody',
  },
  database: {
    mayImport: ['config', 'database/embedded'],
    because: 'the database layer knows no feature: features bring their own SQL',
  },
  'database/embedded': {
    mayImport: ['config'],
    because: 'the embedded server is a process, it knows nothing of what is stored',
  },
  'database/migrations': {
    mayImport: [],
    because: 'a migration is never edited, so it must not depend on code that is',
  },
  errors: {
    mayImport: [], // and the database's faults, below
    because: 'the registry of errors is used by every feature and knows none',
  },
  http: {
    mayImport: ['config', 'errors'],
    because: 'HTTP plumbing is the same for every feature and knows none',
  },
  images: {
    mayImport: FEATURE,
    because: 'images are below tasks and coco, which compose them',
  },
  'label-classes': {
    mayImport: FEATURE,
    because: 'label classes are below tasks and coco, which compose them',
  },
  'labeled-images': {
    mayImport: [...FEATURE, 'config', 'images', 'label-classes', 'labeled-images/*'],
    because: 'documents refer to images and label classes, and are below tasks and coco',
  },
  'labeled-images/postgres': {
    mayImport: [...FEATURE, 'images', 'label-classes', 'labeled-images'],
    because: 'an adapter knows its port and what documents refer to',
  },
  'labeled-images/mongoose': {
    mayImport: [...FEATURE, 'config', 'images', 'label-classes', 'labeled-images'],
    because: 'an adapter knows its port and what documents refer to',
  },
  tasks: {
    mayImport: [...FEATURE, 'config', 'images', 'label-classes', 'labeled-images'],
    because: 'tasks compose images, label classes and documents, and nothing above',
  },
  coco: {
    mayImport: [...FEATURE, 'config', 'images', 'label-classes', 'labeled-images', 'tasks'],
    because:
      'import and export compose the features below, and nobody composes them but the root, cli and sample',
  },
  health: {
    mayImport: [...FEATURE, 'config'],
    because: 'health asks the database, not the features',
  },
  docs: {
    mayImport: ['config', 'errors', 'http'],
    because: 'the documentation is made from the running application, not from its parts',
  },
  sample: {
    mayImport: [...FEATURE, 'config', 'tasks', 'coco'],
    because: 'the sample is data that goes in the way every data set does',
  },
  cli: {
    mayImport: ['config', 'database', 'database/embedded', 'sample'], // the root and the types of answers, below
    because: 'a command starts the service or asks it by HTTP, and knows only the types of its answers',
  },
};

/** Files that belong to no folder above, or whose name says which layer they are. */
const FILES = {
  root: 'src/*.ts',
  ormconfig: 'ormconfig.ts',
  controller: 'src/**/*.controller.ts',
  service: 'src/**/*.service.ts',
  repository: 'src/**/*.repository.ts',
};

const folder = (...types) => ({ element: { types: { anyOf: types } } });
const file = (...categories) => ({ file: { categories: { anyOf: categories } } });

/** The last policy that matches an import decides. */
const policies = [
  ...Object.entries(FOLDERS).flatMap(([name, { mayImport, because }]) => [
    {
      from: folder(name),
      disallow: { to: folder('**') },
      message: `src/${name} may not import src/{{to.element.type}}: ${because}.`,
    },
    { from: folder(name), allow: { to: folder(name, ...mayImport) } },
  ]),
  {
    from: folder('errors'),
    allow: { to: { element: { type: 'database', fileInternalPath: 'database-faults.ts' } } },
  },
  {
    from: folder('**'),
    disallow: { to: file('root', 'ormconfig') },
    message: 'The root puts the features together and imports them, so they may not import it.',
  },
  { from: folder('cli'), allow: { to: file('root') } },
  {
    from: folder('cli'),
    allow: { to: { element: { fileInternalPath: '**/dto/*' } }, dependency: { kind: 'type' } },
  },
  // The OpenAPI file describes the whole application; the connection serves every entity.
  { from: { element: { type: 'docs', fileInternalPath: 'openapi.ts' } }, allow: { to: file('root') } },
  {
    from: { element: { type: 'database', fileInternalPath: 'connect.ts' } },
    allow: { to: file('ormconfig') },
  },
  {
    from: file('controller'),
    disallow: { to: file('repository') },
    message: 'A controller translates HTTP into one call of a service; the service asks the repository.',
  },
  {
    from: file('service'),
    disallow: { to: file('controller') },
    message: 'A service does not know that HTTP calls it.',
  },
  {
    from: file('repository'),
    disallow: { to: file('controller', 'service') },
    message: 'A repository is called by services and calls none: it holds the SQL of its table.',
  },
  {
    disallow: { to: { module: { origin: 'external', source: ['mongoose', '@nestjs/mongoose', 'mongodb'] } } },
    message:
      'Only src/labeled-images/mongoose knows MongoDB; everything else goes through LabeledImageRepository.',
  },
  {
    from: folder('labeled-images/mongoose'),
    allow: { to: { module: { source: ['mongoose', '@nestjs/mongoose', 'mongodb'] } } },
  },
];

const NAMED_AFTER_NOTHING = {
  selector: 'Program',
  message:
    'Name a folder after what is in it (utils, common and helpers collect everything), and import files, not index.ts.',
};

export const boundaries = [
  {
    files: ['src/**/*.ts', 'ormconfig.ts'],
    plugins: { boundaries: plugin },
    settings: {
      'boundaries/elements': Object.keys(FOLDERS)
        // The inner folder first: the first pattern that matches a file says where it belongs.
        .sort((one, other) => other.length - one.length)
        .map((type) => ({ type, pattern: `src/${type}`, partialMatch: false })),
      'boundaries/files': Object.entries(FILES).map(([category, pattern]) => ({ category, pattern })),
      'import/resolver': { node: { extensions: ['.ts', '.js'] } },
    },
    rules: {
      'boundaries/no-unknown-files': 'error',
      'boundaries/dependencies': [
        'error',
        { default: 'allow', checkAllOrigins: true, checkInternals: true, policies },
      ],
    },
  },
  {
    files: ['**/index.ts', '**/{utils,common,helpers}/**'],
    ignores: ['src/database/migrations/index.ts'],
    rules: { 'no-restricted-syntax': ['error', NAMED_AFTER_NOTHING] },
  },
];
