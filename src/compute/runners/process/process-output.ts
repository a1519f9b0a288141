import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import { cutUtf8 } from '../../../platform/text/cut-text.js';
import type { AttemptLog } from './output/attempt-log.js';
import type { TaskProblemBody } from '../../task.problem.js';
import type { ProcessGroup } from './group/process-group.js';
import { LineCutter, readInTurns } from './output/process-lines.js';
import { parseMessage, type ProcessMessage, UnusableLine } from './output/process-messages.js';

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
  /** Why what it returned cannot be kept; null when it returned something better behind that. */
  resultsFault: string | null;
  /** The same of a last line that has no end: perhaps it was stopped in the middle of it. */
  unfinishedFault: string | null;
  problem: TaskProblemBody | null;
  retryLaterSeconds: number | null;
  unusableLines: number;
  /** Whether a line was the beginning of a JSON document that went on in the next. */
  overLines: boolean;
  /** Whether there is anything in the log of the job. */
  logged: boolean;
  /** Whether it has said how it went, and whatever it does now, that counts. */
  answered: boolean;
  /** What there was too much of. */
  excess: 'results' | 'output' | null;
}

interface Listener {
  progress(percent: number, message: string | null): void;
  /** There was too much of something: nothing more is looked at. */
  excess(): void;
  /**
   * It has said how it went: results, a problem, or that it wants to be run again. Told once more
   * whenever it says something new behind that: it is still at work then.
   */
  answered(): void;
}

/** How long output may stay away, with all writers dead, before it is given up. */
const LAST_OUTPUT_MS = 2_000;
const LOOK_EVERY_MS = 100;
/** So many lines that are no messages are shown in the log of the job; the others are counted. */
const SHOWN_LINES = 10;
const SHOWN_BYTES = 200;
/** After so long without output, a line without an end is looked at: some write no line break at all. */
const QUIET_MS = 250;
const CLOSING_BRACE = 0x7d;
const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/** Reads what a command writes: messages from standard output, the log of the job from standard error. */
export class ProcessOutput {
  readonly report: ProcessReport = {
    results: null,
    resultsFault: null,
    unfinishedFault: null,
    problem: null,
    retryLaterSeconds: null,
    unusableLines: 0,
    overLines: false,
    logged: false,
    answered: false,
    excess: null,
  };
  private readonly cutter: LineCutter;
  private readonly decoder = new StringDecoder('utf8');
  private lines = 0;
  private bytes = 0;
  private readAt = 0;
  private percent = 0;
  private lastMessage: string | null = null;
  private quiet: NodeJS.Timeout | undefined;
  private sawMark = false;
  /** Progress that has not been told. */
  private news: { message: string | null } | null = null;

  constructor(
    private readonly log: AttemptLog,
    private readonly limits: ProcessLimits,
    private readonly listener: Listener,
  ) {
    this.cutter = new LineCutter(
      limits.longestLine,
      (line, isWhole) => this.take(line, isWhole),
      () => this.exceed('results'),
    );
  }

  /** @returns when both streams have ended, or will not end although everybody who could write is dead */
  async read(group: ProcessGroup, allDead: Promise<unknown>): Promise<void> {
    const reading = Promise.all([
      readInTurns(group.stdout, (chunk) => {
        const lines = this.count(chunk) ? this.cutter.push(chunk) : 0;
        this.tellProgress();
        clearTimeout(this.quiet);
        this.quiet = setTimeout(() => this.lookAtBegun(), QUIET_MS);
        return lines;
      }),
      readInTurns(group.stderr, (chunk) => {
        this.count(chunk);
        this.report.logged = true;
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
    clearTimeout(this.quiet);
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

  private take(line: Buffer, isWhole: boolean): void {
    this.lines += 1;
    const text = this.withoutMark(line);
    try {
      const message = parseMessage(text);
      if (message !== null) {
        this.heed(message);
      }
    } catch (error) {
      // Nothing that a command writes may end the service.
      this.refuse(
        text,
        error instanceof UnusableLine ? error : new UnusableLine('cannot be read', true),
        isWhole,
      );
    }
  }

  private heed(message: ProcessMessage): void {
    const says = this.takeProgress(message);
    if (message.results !== undefined) {
      this.report.results = message.results;
      this.report.resultsFault = null;
    }
    this.report.problem = message.problem ?? this.report.problem;
    this.report.retryLaterSeconds = message.retryLaterSeconds ?? this.report.retryLaterSeconds;
    const answers =
      message.results !== undefined ||
      message.problem !== undefined ||
      message.retryLaterSeconds !== undefined;
    this.report.answered ||= answers;
    if (this.report.answered && (answers || says)) {
      this.listener.answered();
    }
  }

  /** @returns whether it says something that it has not said before */
  private takeProgress({ progress, message }: ProcessMessage): boolean {
    if (progress === undefined && message === undefined) {
      return false;
    }
    const isNew =
      (progress ?? this.percent) > this.percent ||
      (message !== undefined && message !== this.lastMessage);
    this.percent = progress ?? this.percent;
    this.lastMessage = message ?? this.lastMessage;
    this.news = { message: message ?? this.news?.message ?? null };
    return isNew;
  }

  /** A command may write its results without a line break, and then not end. */
  private lookAtBegun(): void {
    const line = this.cutter.begun;
    if (line === null || line.at(-1) !== CLOSING_BRACE) {
      return;
    }
    try {
      const message = parseMessage(this.withoutMark(line));
      if (message !== null) {
        this.lines += 1;
        this.cutter.forgetBegun();
        this.heed(message);
        this.tellProgress();
      }
    } catch {
      // It is not complete yet: its end decides.
    }
  }

  private withoutMark(line: Buffer): Buffer {
    if (!line.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)) {
      return line;
    }
    if (!this.sawMark) {
      this.sawMark = true;
      this.log.note(
        'standard output has a byte order mark (BOM), which is passed over: write UTF-8 without it',
      );
    }
    return line.subarray(BYTE_ORDER_MARK.length);
  }

  private refuse(line: Buffer, unusable: UnusableLine, isWhole: boolean): void {
    const { reason, isResults, isCutOff } = unusable;
    this.report.unusableLines += 1;
    this.report.logged = true;
    this.report.overLines ||= isWhole && isCutOff;
    if (isResults && isWhole) {
      this.report.resultsFault = reason;
    } else if (isResults) {
      this.report.unfinishedFault = reason;
    }
    // Of what goes over several lines the rest is still to come.
    if (isResults && isWhole && !isCutOff) {
      this.report.answered = true;
      this.listener.answered();
    }
    if (this.report.unusableLines <= SHOWN_LINES) {
      const start = cutUtf8(line, SHOWN_BYTES);
      const colon = /^(?:is|has|cannot) /.test(reason) ? '' : ':';
      this.log.note(`line ${this.lines} of standard output${colon} ${reason}: ${start}`);
    }
  }

  /** Of reports that arrive together only the last is passed on. */
  private tellProgress(): void {
    if (this.news !== null) {
      this.listener.progress(this.percent, this.news.message);
      this.news = null;
    }
  }
}
