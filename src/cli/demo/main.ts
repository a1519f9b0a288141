// `npm run demo`: starts the service, and is then a client like any other, over HTTP alone.
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ProgressBar } from 'headframe-cli/progress-bar';
import {
  HeadframeClient,
  HeadframeError,
  type Job,
  JobError,
  type ParametersOf,
} from 'headframe-client';
import { EXAMPLE_ORGANIZATION } from '../../jobs/job/examples.js';
import { krigingParameters, readMeuse } from './meuse.js';
import { drawEstimates } from './meuse-map.js';
import { nextSteps, summary } from './report.js';
import { choosePort, ServiceFailure, ServiceProcess } from './service-process.js';

/** Any UUID would do: a development token grants the organization that it is asked for. */
const ORG = EXAMPLE_ORGANIZATION;
const TASK = 'geostatistics/kriging';
const TASK_PATH = `/compute/orgs/${ORG}/${TASK}`;
/** How long a service that may be gone is asked to cancel the job. */
const CANCEL_WITHIN_MS = 5_000;
const OUT = path.resolve('.headframe', 'demo');

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
      error instanceof DemoFailure ||
      error instanceof ServiceFailure ||
      error instanceof HeadframeError;
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
  const client = new HeadframeClient({ url: service.url, org: ORG, token });
  const { job, results, seconds } = await krige(client, service, parameters);

  const map = path.join(OUT, 'meuse-log-zinc.svg');
  const request = path.join(OUT, 'kriging.json');
  await writeFile(map, drawEstimates(meuse, results));
  await writeFile(request, JSON.stringify({ parameters }));

  say(summary(results, seconds));
  say(`  Map of the estimates  ${map}\n  Log of the service    ${service.logFile}\n`);
  if (exitWhenDone) return;

  const requestFile = path.relative('', request).split(path.sep).join('/');
  const jobUrl = client.addressOf(job);
  say(nextSteps({ url: service.url, token, org: ORG, task: TASK_PATH, jobUrl, requestFile }));
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

/**
 * Submits the job, follows it to its end, and fetches what it left. A worker that dies meanwhile is no
 * reason to stop: the job is run again. Neither is a service that is out of reach for a while.
 */
async function krige(
  client: HeadframeClient,
  process_: ServiceProcess,
  parameters: ParametersOf<typeof TASK>,
) {
  const gone = new AbortController();
  void process_.ended.then(() => gone.abort());
  const signal = AbortSignal.any([interrupt.signal, gone.signal]);
  try {
    say(`\nPOST ${TASK_PATH}`);
    const before = performance.now();
    const job = await client.submit(TASK, parameters, { signal });
    say(`303  ${new URL(client.addressOf(job)).pathname}/status\n`);
    await follow(client, job, signal);
    const seconds = (performance.now() - before) / 1000;
    return { job, results: await client.results(job, { signal }), seconds };
  } catch (error) {
    if (gone.signal.aborted && !interrupt.signal.aborted) {
      throw process_.failure('The service ended during the job.');
    }
    if (!(error instanceof JobError)) throw error;
    throw new DemoFailure(`${error.message}\nThe service's log may tell more: ${process_.logFile}`);
  }
}

/** Shows the progress of the job until it has ended; cancels it at Ctrl-C. */
async function follow(client: HeadframeClient, job: Job, signal: AbortSignal): Promise<void> {
  const bar = progressBar();
  try {
    const last = await client.wait(job, {
      signal,
      onProgress: ({ status, progress, message }) => bar.update(progress, message ?? status),
    });
    bar.finish(`${last.status}: ${last.message ?? 'no message'}`);
  } catch (error) {
    bar.finish();
    if (interrupt.signal.aborted) {
      await client.cancel(job, { signal: AbortSignal.timeout(CANCEL_WITHIN_MS) }).catch(() => {});
    }
    throw error;
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
