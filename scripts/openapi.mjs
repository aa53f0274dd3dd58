// openapi.json from the controllers, without a database; with --check it is compared.
import { build } from './build.mjs';
import { keepGenerated } from './generated-file.mjs';

await build();
const { createOpenApi } = await import('../dist/src/docs/openapi.js');
keepGenerated('openapi.json', `${JSON.stringify(await createOpenApi(), null, 2)}\n`, 'npm run openapi');
