import { Controller, Get, Inject, UseFilters } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  HealthCheck,
  HealthCheckService,
  MongooseHealthIndicator,
  TypeOrmHealthIndicator,
  type HealthCheckResult,
  type HealthIndicatorFunction,
} from '@nestjs/terminus';
import type { Environment } from '../config/environment';
import { ENVIRONMENT } from '../config/environment.module';
import { HealthFilter } from './health.filter';

/** Longer than a healthy database ever takes, shorter than a prober's patience. */
const PING = { timeout: 2_000 };

/** In Terminus's format, which probers know; not in the envelope of the other answers. */
@ApiTags('health')
@Controller('health')
@UseFilters(HealthFilter)
export class HealthController {
  private readonly databases: HealthIndicatorFunction[];

  constructor(
    @Inject(ENVIRONMENT) { mongodbUri }: Environment,
    private readonly health: HealthCheckService,
    postgres: TypeOrmHealthIndicator,
    mongo: MongooseHealthIndicator,
  ) {
    this.databases = [() => postgres.pingCheck('postgresql', PING)];
    if (mongodbUri !== undefined) this.databases.push(() => mongo.pingCheck('mongodb', PING));
  }

  /**
   * Is it alive
   *
   * @remarks
   * Whether the process answers at all.
   */
  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /**
   * Is it ready
   *
   * @remarks
   * Whether requests can be served; 503 names the database that is away.
   */
  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check(this.databases);
  }
}
