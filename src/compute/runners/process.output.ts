import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AttemptLog } from '../attempt.log.js';
import type { TaskProblemBody } from '../task.problem.js';
import type { ProcessGroup } from './process.group.js';
import { LineCutter, readInTurns } from './process.lines.js';
import { parseMessage, UnusableLine } from './process.messages.js';

/** Bounds of what a command may write. */
export interface ProcessLimits {
  /** Most bytes of one line of standard output: of the results, with a little around them. */
  readonly longestLine: number;
  /** Most bytes of standard output and standard error together. */
  readonly mostOutput: number;
}

/** All that a command has said. */
export interface ProcessReport {
  /** The last that it returned. */
  results: Readonly<Record<string, unknown>> | null;
  /** Why what it returned cannot be kept. */
  resultsFault: string | null;
  problem: TaskProblemBody | null;
  retryLaterSeconds: number | null;
  unusableLines: number;
  /** What there was too much of. */
  excess: 'results' | 'output' | null;
}

interface Listener {
  progress(percent: number, message: string | null): void;
  /** There was too much of something: nothing more is looked at. */
  excess(): void;
}

/** How long output may stay away, with all writers dead, before it is given up. */
const LAST_OUTPUT_MS = 2_000;
const LOOK_EVERY_MS = 100;
/** So many lines that are no messages are shown in the log of the job; the others are counted. */
const SHOWN_LINES = 10;
const SHOWN_BYTES = 200;

/** Reads what a command writes: messages from standard output, the log of the job from standard error. */
export class ProcessOutput {
  readonly report: ProcessReport = {
    results: null,
    resultsFault: null,
    problem: null,
    retryLaterSeconds: null,
    unusableLines: 0,
    excess: null,
  };
  private readonly cutter: LineCutter;
  private readonly decoder = new StringDecoder('utf8');
  private lines = 0;
  private bytes = 0;
  private readAt = 0;
  private percent = 0;
  /** Progress that has not been told. */
  private news: { message: string | null } | null = null;

  constructor(
    private readonly log: AttemptLog,
    private readonly limits: ProcessLimits,
    private readonly listener: Listener,
  ) {
    this.cutter = new LineCutter(
      limits.longestLine,
      (line) => this.take(line),
      () => this.exceed('results'),
    );
  }

  /** @returns when both streams have ended, or will not end although everybody who could write is dead */
  async read(group: ProcessGroup, allDead: Promise<unknown>): Promise<void> {
    const reading = Promise.all([
      readInTurns(group.stdout, (chunk) => {
        const lines = this.count(chunk) ? this.cutter.push(chunk) : 0;
        this.tellProgress();
        return lines;
      }),
      readInTurns(group.stderr, (chunk) => {
        this.count(chunk);
        this.log.append(this.decoder.write(chunk));
        return 0;
      }),
    ]);
    const ended = new AbortController();
    void reading.then(() => ended.abort());
    await allDead;
    this.readAt = performance.now();
    while (!ended.signal.aborted) {
      await sleep(LOOK_EVERY_MS, undefined, { signal: ended.signal }).catch(() => undefined);
      if (performance.now() - this.readAt > LAST_OUTPUT_MS) {
        group.stdout.destroy();
        group.stderr.destroy();
      }
    }
    this.cutter.end();
    this.tellProgress();
    this.log.append(this.decoder.end());
    if (this.report.unusableLines > SHOWN_LINES) {
      const hidden = this.report.unusableLines - SHOWN_LINES;
      this.log.note(`${hidden} more lines of standard output were no messages`);
    }
  }

  /** @returns whether what was read should be looked at */
  private count(chunk: Buffer): boolean {
    this.readAt = performance.now();
    this.bytes += chunk.length;
    if (this.bytes > this.limits.mostOutput) {
      this.exceed('output');
    }
    return this.report.excess === null;
  }

  private exceed(what: 'results' | 'output'): void {
    if (this.report.excess === null) {
      this.report.excess = what;
      this.listener.excess();
    }
  }

  private take(line: Buffer): void {
    this.lines += 1;
    try {
      const message = parseMessage(line);
      if (message === null) {
        return;
      }
      if (message.progress !== undefined || message.message !== undefined) {
        this.percent = message.progress ?? this.percent;
        this.news = { message: message.message ?? this.news?.message ?? null };
      }
      this.report.results = message.results ?? this.report.results;
      this.report.problem = message.problem ?? this.report.problem;
      this.report.retryLaterSeconds = message.retryLaterSeconds ?? this.report.retryLaterSeconds;
    } catch (error) {
      // Nothing that a command writes may end the service.
      this.refuse(
        line,
        error instanceof UnusableLine ? error : new UnusableLine('cannot be read', true),
      );
    }
  }

  private refuse(line: Buffer, { reason, isResults }: UnusableLine): void {
    this.report.unusableLines += 1;
    if (isResults) {
      this.report.resultsFault = reason;
    }
    if (this.report.unusableLines <= SHOWN_LINES) {
      const start = line.subarray(0, SHOWN_BYTES).toString();
      this.log.note(`line ${this.lines} of standard output ${reason}: ${start}`);
    }
  }

  /** Of many reports that came together the last is told. */
  private tellProgress(): void {
    if (this.news !== null) {
      this.listener.progress(this.percent, this.news.message);
      this.news = null;
    }
  }
}
