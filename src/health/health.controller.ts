import { Controller, Get, UseFilters } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  HealthCheck,
  HealthCheckService,
  TypeOrmHealthIndicator,
  type HealthCheckResult,
} from '@nestjs/terminus';
import { HealthFilter } from './health.filter';

/** Longer than a healthy database ever takes, shorter than a prober's patience. */
const PING_MS_MAX = 2_000;

/** In Terminus's format, which probers know; not in the envelope of the other answers. */
@ApiTags('health')
@Controller('health')
@UseFilters(HealthFilter)
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly database: TypeOrmHealthIndicator,
  ) {}

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
    return this.health.check([() => this.database.pingCheck('postgresql', { timeout: PING_MS_MAX })]);
  }
}
