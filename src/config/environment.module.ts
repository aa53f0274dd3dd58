import { Module, type DynamicModule } from '@nestjs/common';
import type { Environment } from './environment';

/** The injection token of the `Environment`. */
export const ENVIRONMENT = Symbol('environment');

@Module({})
export class EnvironmentModule {
  static register(environment: Environment): DynamicModule {
    return {
      module: EnvironmentModule,
      global: true,
      providers: [{ provide: ENVIRONMENT, useValue: environment }],
      exports: [ENVIRONMENT],
    };
  }
}
