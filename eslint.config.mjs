import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';
import { boundaries } from './eslint.boundaries.mjs';

/** `!` overrules the compiler: it stands with the reason why it may. */
const statedNonNull = {
  meta: { type: 'problem', schema: [] },
  create: ({ sourceCode, report }) => ({
    TSNonNullExpression(node) {
      const { start, end } = node.loc;
      const stated = sourceCode
        .getAllComments()
        .some(({ loc }) => loc.end.line >= start.line - 1 && loc.start.line <= end.line);
      if (!stated)
        report({ node, message: 'Say why the value is there, in a comment on this line or the one before.' });
    },
  }),
};

export default defineConfig(
  { ignores: ['dist/', '.data/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { project: { rules: { 'stated-non-null': statedNonNull } } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // `next()` and a sleep in the head of a loop stand where an expression may.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      // A Nest module may be nothing but its decorator.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      // Characters are code points here, and a DTO is a plain object with a class for its description.
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'project/stated-non-null': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      // An empty string counts as absent in many places, and `||` says so.
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // The `from()` of a DTO is handed to map() as it is.
      '@typescript-eslint/unbound-method': ['error', { ignoreStatic: true }],
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'The environment is read once, in src/config; take Environment.',
        },
      ],
    },
  },
  {
    // Where the environment enters, and what must not inherit it.
    files: [
      'src/main.ts',
      'src/cli/**',
      'ormconfig.ts',
      'src/database/embedded/postgres-binaries.ts',
      'test/**',
      'bench/**',
    ],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    // The Swagger plugin reads the types of members when it compiles.
    files: ['src/**/dto/**'],
    rules: { '@typescript-eslint/consistent-type-imports': 'off' },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts'],
    rules: {
      // Answers are read as they come; what is in them is what the test is about.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/unbound-method': 'off',
      'project/stated-non-null': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: { globals: { console: 'readonly', process: 'readonly', URL: 'readonly' } },
  },
  {
    files: ['**/*.js'],
    languageOptions: { sourceType: 'commonjs' },
  },
  boundaries,
  prettier,
);
