import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from './platform/http/public.decorator.js';

const page = (hasConsole: boolean): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Headframe</title>
<link rel="icon" href="data:,">
<style>
  body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 36rem; margin: 4rem auto; padding: 0 1rem; color: #222; }
  a { color: #0b5cad; }
  code { background: #f2f2f2; padding: 0 .3em; border-radius: 3px; }
</style>
<main>
  <h1>Headframe</h1>
  <p>A Task API for compute jobs: execute a task, poll its status, fetch its results, cancel it.</p>
  <ul>
${hasConsole ? '    <li><a href="console/">Console</a>: see, run, understand and stop work</li>\n' : ''}    <li><a href="docs">Swagger UI</a>: every address, with examples to try</li>
    <li><a href="openapi.json">openapi.json</a>: the same for machines (OpenAPI 3.1)</li>
    <li><a href="health/ready">health/ready</a> and <a href="health/live">health/live</a>: for orchestrators</li>
  </ul>
  <p>All addresses below <code>/compute</code> need the header <code>Authorization: Bearer &lt;token&gt;</code>.</p>
</main>
</html>
`;

/** Injection token: whether there is a console to lead to. */
export const CONSOLE_SERVED = Symbol('CONSOLE_SERVED');

/** The page that leads to the rest. */
@Controller()
@Public(true)
@ApiExcludeController()
export class RootController {
  private readonly text: string;

  constructor(@Inject(CONSOLE_SERVED) consoleServed: boolean) {
    this.text = page(consoleServed);
  }

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return this.text;
  }
}
