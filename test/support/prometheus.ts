import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.js';

const START_MS = 30_000;

/** Whether Debian's `prometheus`, with its promtool, is installed here. */
export const HAS_PROMETHEUS =
  spawnSync('promtool', ['--version']).status === 0 &&
  spawnSync('prometheus', ['--version']).status === 0;

/** Runs promtool. @returns its exit code and all that it said */
export function promtool(words: readonly string[], input = ''): { code: number; said: string } {
  const { status, stdout, stderr } = spawnSync('promtool', words, { input, encoding: 'utf8' });
  return { code: status ?? -1, said: stdout + stderr };
}

/** One series that a query found. */
export interface Found {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A Prometheus of one's own, which scrapes each second. */
export class Prometheus {
  private constructor(
    private readonly url: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  /**
   * @param urls where replicas tell their metrics
   * @param rules path of a file of rules
   */
  static async start(urls: readonly string[], rules: string): Promise<Prometheus> {
    const targets = urls.map((url) => new URL(url).host);
    const folder = mkdtempSync(join(tmpdir(), 'headframe-prometheus-'));
    const port = await freePort();
    writeFileSync(
      join(folder, 'prometheus.yml'),
      JSON.stringify({
        global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
        rule_files: [rules],
        scrape_configs: [{ job_name: 'headframe', static_configs: [{ targets }] }],
      }),
    );
    const child = spawn(
      'prometheus',
      [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    );
    const prometheus = new Prometheus(`http://127.0.0.1:${port}`, child, folder);
    const deadline = Date.now() + START_MS;
    for (;;) {
      const ready = await fetch(`${prometheus.url}/-/ready`).catch(() => null);
      if (ready?.ok) return prometheus;
      if (Date.now() > deadline || child.exitCode !== null) {
        await prometheus.stop();
        throw new Error('Prometheus did not start.');
      }
      await sleep(50);
    }
  }

  /** @throws Error with what Prometheus says of a wrong query */
  async query(expression: string): Promise<readonly Found[]> {
    const { result } = await this.ask<{
      result: { metric: Record<string, string>; value: [number, string] }[];
    }>(`query?${new URLSearchParams({ query: expression }).toString()}`);
    return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** The alerts that it knows: expressions by names. */
  async alerts(): Promise<ReadonlyMap<string, string>> {
    const { groups } = await this.ask<{
      groups: { rules: { type: string; name: string; query: string }[] }[];
    }>('rules');
    return new Map(
      groups
        .flatMap(({ rules }) => rules)
        .filter(({ type }) => type === 'alerting')
        .map(({ name, query }) => [name, query]),
    );
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async ask<Data>(path: string): Promise<Data> {
    const response = await fetch(`${this.url}/api/v1/${path}`);
    const body = (await response.json()) as { status: string; error?: string; data: Data };
    if (body.status !== 'success') {
      throw new Error(`${path}: ${body.error}`);
    }
    return body.data;
  }
}
