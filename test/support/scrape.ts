import type { Service } from './service.js';

/** Where a service tells its metrics, as it said when it began to listen. */
export const metricsUrl = (service: Service): string =>
  String(service.logLines().find(({ msg }) => msg === 'listening')?.metrics);

/** What a service tells at `/metrics`, by series as they are written: `name{label="value"}`. */
export class Scrape {
  private constructor(
    readonly text: string,
    private readonly series: ReadonlyMap<string, number>,
  ) {}

  /** @param url of the metrics */
  static async of(url: string, accept?: string): Promise<Scrape> {
    const response = await fetch(url, { headers: accept === undefined ? {} : { accept } });
    if (!response.ok) {
      throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
    }
    const text = await response.text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Scrape(
      text,
      new Map(
        lines.map((line) => {
          const end = line.lastIndexOf(' ');
          return [line.slice(0, end), Number(line.slice(end + 1))];
        }),
      ),
    );
  }

  /** The sum of the series of that name which have all these labels; null: there is none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | null {
    const found = [...this.series].filter(
      ([series]) =>
        (series === name || series.startsWith(`${name}{`)) &&
        Object.entries(labels).every(([label, value]) => series.includes(`${label}="${value}"`)),
    );
    return found.length === 0 ? null : found.reduce((sum, [, value]) => sum + value, 0);
  }

  /** The names of all series, with their labels. */
  get names(): readonly string[] {
    return [...this.series.keys()];
  }
}
