import { Controller, Get, Redirect } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

/** Whoever opens the service's address in a browser finds the documentation. */
@ApiExcludeController()
@Controller()
export class DocsController {
  @Get()
  @Redirect('/docs')
  root(): void {
    // The decorator is the answer.
  }
}
