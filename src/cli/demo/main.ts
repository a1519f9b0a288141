// `npm run demo`: starts the service, and is then a client like any other, over HTTP alone.
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EXAMPLE_ORGANIZATION } from '../../jobs/example.organization.js';
import { ApiError, jobUrlOf, type StatusReply, TaskApiClient, tellProblem } from './client.js';
import { type KrigingResults, krigingParameters, readMeuse } from './meuse.js';
import { drawEstimates } from './meuse-map.js';
import { ProgressBar } from './progress-bar.js';
import { nextSteps, summary } from './report.js';
import { choosePort, ServiceFailure, ServiceProcess } from './service-process.js';

/** Any UUID would do: a development token grants the organization that it is asked for. */
const ORG = EXAMPLE_ORGANIZATION;
const TASK = `/compute/orgs/${ORG}/geostatistics/kriging`;
const OUT = path.resolve('.headframe', 'demo');
/** How long the service may be out of reach, its process alive, before the demo gives up. */
const PATIENCE_MS = 60_000;

/** Something that a person can act on: shown without a stack. */
class DemoFailure extends Error {
  override readonly name = 'DemoFailure';
}

const exitWhenDone = wantsExit(process.argv.slice(2));
const interrupt = new AbortController();
let service: ServiceProcess | undefined;

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (interrupt.signal.aborted) service?.kill();
    interrupt.abort(name);
  });
}
// Who reads the output may go away (`| head`); the service must not stay behind, whatever happens here.
process.stdout.on('error', () => interrupt.abort('EPIPE'));
process.on('exit', () => service?.dismiss());

try {
  await demo();
} catch (error) {
  if (interrupt.signal.aborted) {
    // Ctrl-C before the job was done: nothing to complain of, but not a success either.
    process.exitCode = 130;
  } else {
    process.exitCode = 1;
    const known =
      error instanceof DemoFailure || error instanceof ServiceFailure || error instanceof ApiError;
    say(`\n${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  }
} finally {
  await service?.stop();
}

async function demo(): Promise<void> {
  mkdirSync(OUT, { recursive: true });
  const host = process.env.HOST || '127.0.0.1';
  const port = await choosePort(host, process.env.PORT);
  service = ServiceProcess.start({ host, port }, path.join(OUT, 'service.log'));
  await started(service);

  const token = await developmentToken();
  const meuse = await readMeuse();
  const parameters = krigingParameters(meuse);
  const client = new TaskApiClient(service.url, token);
  const { statusUrl, results, seconds } = await krige(client, service, parameters);

  const map = path.join(OUT, 'meuse-log-zinc.svg');
  const request = path.join(OUT, 'kriging.json');
  await writeFile(map, drawEstimates(meuse, results));
  await writeFile(request, JSON.stringify({ parameters }));

  say(summary(results, seconds));
  say(`  Map of the estimates  ${map}\n  Log of the service    ${service.logFile}\n`);
  if (exitWhenDone) return;

  const requestFile = path.relative('', request).split(path.sep).join('/');
  say(nextSteps({ url: service.url, token, org: ORG, task: TASK, statusUrl, requestFile }));
  say(`Serving on ${service.url} until Ctrl-C.`);
  await Promise.race([service.ended, interrupted()]);
  if (!interrupt.signal.aborted) throw service.failure('The service ended by itself.');
  say('\nStopping the service …');
}

async function started(process_: ServiceProcess): Promise<void> {
  const bar = progressBar();
  const tick = () => bar.update(null, 'Starting the service');
  tick();
  try {
    await process_.ready(tick, interrupt.signal);
  } catch (error) {
    bar.finish();
    throw error;
  }
  bar.finish(`Service ready on ${process_.url}`);
}

/** Asks the development token of the same command that people use. */
async function developmentToken(): Promise<string> {
  const command = fileURLToPath(new URL('../token.js', import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [command, '--org', ORG]);
    return stdout.trim();
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new DemoFailure(`No development token: ${stderr?.trim() || String(error)}`);
  }
}

/** Submits the job, follows it to its end, and fetches what it left. */
async function krige(client: TaskApiClient, process_: ServiceProcess, parameters: object) {
  say(`\nPOST ${TASK}`);
  const before = performance.now();
  const statusUrl = await client.execute(TASK, parameters);
  say(`303  ${new URL(statusUrl).pathname}\n`);

  const bar = progressBar();
  const last = await follow(client, process_, statusUrl, bar);
  const seconds = (performance.now() - before) / 1000;
  bar.finish(`${last.status}: ${last.message ?? 'no message'}`);

  const { results, error } = await client.outcome<KrigingResults>(jobUrlOf(statusUrl));
  if (results === undefined) {
    throw new DemoFailure(
      `The job has ${last.status}. ${error === undefined ? '' : tellProblem(error)}\n` +
        `The service's log may tell more: ${process_.logFile}`,
    );
  }
  return { statusUrl, results, seconds };
}

/**
 * Asks for the status until the job has ended. A worker that dies meanwhile is no reason to stop: the
 * job is run again. Neither is a service that is out of reach for a while.
 */
async function follow(
  client: TaskApiClient,
  process_: ServiceProcess,
  statusUrl: string,
  bar: ProgressBar,
): Promise<StatusReply> {
  let pause = 100;
  let lastAnswer = Date.now();
  for (;;) {
    try {
      const reply = await client.status(statusUrl);
      lastAnswer = Date.now();
      bar.update(reply.progress, reply.message ?? reply.status);
      if (reply.ended) return reply;
      const asked = reply.retryAfterSeconds * 1000 || 1000;
      await sleep(pause, undefined, { signal: interrupt.signal });
      pause = Math.min(pause * 2, asked, 1000);
    } catch (error) {
      if (interrupt.signal.aborted) {
        bar.finish();
        await client.cancel(jobUrlOf(statusUrl)).catch(() => {});
        throw error;
      }
      if (!process_.isRunning) throw process_.failure('The service ended during the job.');
      if (Date.now() - lastAnswer > PATIENCE_MS) throw error;
      await sleep(500);
    }
  }
}

function wantsExit(args: readonly string[]): boolean {
  const unknown = args.find((arg) => arg !== '--exit');
  if (unknown !== undefined) {
    process.stderr.write(`Unknown argument ${unknown}. Usage: npm run demo [-- --exit]\n`);
    process.exit(2);
  }
  return args.length > 0;
}

function progressBar(): ProgressBar {
  return new ProgressBar(process.stdout, process.env);
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    interrupt.signal.addEventListener('abort', () => resolve());
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
