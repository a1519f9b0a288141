import type { OutputStream, Surroundings } from '../surroundings.js';
import { ProgressBar } from './progress-bar.js';

export interface OutputOptions {
  /** For machines: JSON instead of text. */
  readonly json: boolean;
  /** Nothing but data and errors. */
  readonly quiet: boolean;
  readonly color: boolean;
}

const COLORS = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;
const USUAL_COLUMNS = 80;
/** On what is no terminal, progress is a line now and then. */
const PROGRESS_EVERY_MS = 5_000;

/** Data goes to standard output and everything else to standard error, so that data can be piped. */
export class Terminal {
  constructor(
    private readonly surroundings: Pick<Surroundings, 'stdout' | 'stderr' | 'env'>,
    private readonly options: OutputOptions,
  ) {}

  get isJson(): boolean {
    return this.options.json;
  }

  /** Whether a person looks at the data. */
  get isWatched(): boolean {
    return this.surroundings.stdout.isTTY === true && !this.options.json;
  }

  /** How many columns there are to write in; of a file, as many as it takes. */
  get columns(): number {
    const { isTTY, columns } = this.surroundings.stdout;
    // Some terminals say that they have none.
    return isTTY === true ? columns || USUAL_COLUMNS : Infinity;
  }

  /** Writes what was asked for. @param text whole lines */
  data(text: string): void {
    this.surroundings.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** One JSON value, indented for people who look at it. */
  json(value: unknown): void {
    const indent = this.surroundings.stdout.isTTY === true ? 2 : undefined;
    this.data(JSON.stringify(value, null, indent));
  }

  /** One JSON value on a line of its own. */
  jsonLine(value: unknown): void {
    this.data(JSON.stringify(value));
  }

  /** Draws anew what is seen; only of use when somebody looks. */
  redraw(text: string): void {
    this.surroundings.stdout.write(`\x1b[H\x1b[2J${text}`);
  }

  /** Tells what happens, to whoever does not want quiet. */
  note(text: string): void {
    if (!this.options.quiet) this.surroundings.stderr.write(`${text}\n`);
  }

  complain(text: string): void {
    this.surroundings.stderr.write(`${text}\n`);
  }

  progress(): ProgressBar {
    const { stderr, env } = this.surroundings;
    const output: OutputStream = this.options.quiet ? { write: () => undefined } : stderr;
    const colors = this.options.color ? env : { ...env, NO_COLOR: '1' };
    return new ProgressBar(output, colors, Date.now, PROGRESS_EVERY_MS);
  }

  /** Colours a text of standard output, where colours are wanted and seen. */
  paint(color: keyof typeof COLORS, text: string): string {
    return paint(this.surroundings.stdout, this.wantsColor, color, text);
  }

  /** The same for standard error. */
  paintNote(color: keyof typeof COLORS, text: string): string {
    return paint(this.surroundings.stderr, this.wantsColor, color, text);
  }

  private get wantsColor(): boolean {
    const { NO_COLOR = '', TERM } = this.surroundings.env;
    return this.options.color && NO_COLOR === '' && TERM !== 'dumb';
  }
}

function paint(
  { isTTY }: OutputStream,
  wanted: boolean,
  color: keyof typeof COLORS,
  text: string,
): string {
  return wanted && isTTY === true ? `\x1b[${COLORS[color]}m${text}\x1b[0m` : text;
}
