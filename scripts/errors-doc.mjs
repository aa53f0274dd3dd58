// docs/errors.md from the registry of errors; with --check it is compared.
import { format, resolveConfig } from 'prettier';
import { build } from './build.mjs';
import { keepGenerated } from './generated-file.mjs';

const NAME = 'docs/errors.md';
const MEND = 'npm run errors-doc';

const HEAD = `<!-- Made from src/errors/errors.ts by ${MEND}. -->

# Errors

Every failure is an HTTP status with the body \`{"code": …, "msg": …}\` and nothing else. \`code\` is status × 100 + n, one for
each kind of failure, and never changes: compare it, and show \`msg\` to the person. \`msg\` is Chinese, or English where
\`Accept-Language\` prefers it; \`{…}\` is filled in.

Only what has a number in the last column is worth repeating as it is: the answer carries \`Retry-After\` with these seconds.
Everything else fails again until the request, or the task it is about, is another one. A 500 names a request id, which is in
the log of the service.

Terminus answers \`/health/…\` in its own format, without \`code\`.

| code | status | name | msg | msg in English | repeat after |
| --- | --- | --- | --- | --- | --- |
`;

await build();
const { ERRORS, statusOf } = await import('../dist/src/errors/errors.js');

const rows = Object.entries(ERRORS)
  .sort(([, one], [, other]) => one.code - other.code)
  .map(([name, { code, zh, en, retryAfterS }]) =>
    [code, statusOf(name), `\`${name}\``, cell(zh), cell(en), retryAfterS ? `${retryAfterS} s` : ''].join(
      ' | ',
    ),
  );
const table = rows.map((row) => `| ${row} |\n`).join('');
// As prettier writes it, which checks this file like every other.
const options = await resolveConfig(NAME);
keepGenerated(NAME, await format(HEAD + table, { ...options, parser: 'markdown' }), MEND);

function cell(text) {
  return text.replaceAll('|', '\\|');
}
