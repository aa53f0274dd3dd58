/** Where the service under test keeps the annotation documents. */
export const MODES = ['postgres', 'mongo'] as const;
export type Mode = (typeof MODES)[number];
