import type { Request } from 'express';

/** What is needed of Express 5's router: its routes, each of which matches paths and names its methods. */
interface Router {
  readonly stack: readonly {
    match(path: string): boolean;
    readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
  }[];
}

/**
 * The methods that a path knows, for a 405 and its `Allow`; none where there is nothing at this path. Of several routes that
 * match, the first one's path counts: `tasks/duplication` is not also the task named duplication of `tasks/:task_id`.
 */
export function allowedMethods(request: Request): string[] {
  const router = request.app.router as unknown as Router; // its types leave out `match`
  const routes = router.stack.flatMap((layer) =>
    layer.route && layer.match(request.path) ? [layer.route] : [],
  );
  const methods = routes
    .filter(({ path }) => path === routes[0]?.path)
    .flatMap((route) => Object.keys(route.methods));
  return methods.map((method) => method.toUpperCase()).sort();
}
