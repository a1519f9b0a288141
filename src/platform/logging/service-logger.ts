import type { LoggerService } from '@nestjs/common';
import { type Level, pino, type Logger } from 'pino';
import type { Config } from '../config.js';
import { LogDestination } from './log-destination.js';
import { describeError } from './error-serializer.js';

/** The process's log: JSON lines on standard output. */
export function createLogger(config: Pick<Config, 'LOG_LEVEL'>): Logger {
  return pino(
    {
      level: config.LOG_LEVEL,
      base: { pid: process.pid },
      serializers: { err: (error: unknown) => describeError(error) },
    },
    new LogDestination(),
  );
}

/** What Nest says of its own start, forty lines of it. */
const NEST_START = new Set(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory']);

/**
 * Lets `new Logger('Context')` of Nest write to the process's log: an object is merged into the line. A
 * function is asked for the object only when its level is logged.
 */
export class ServiceLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write(NEST_START.has(String(rest.at(-1))) ? 'debug' : 'info', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  /** Nest appends the context as the last argument; before it come a text, or for errors a stack. */
  private write(level: Level, given: unknown, rest: readonly unknown[]): void {
    if (!this.logger.isLevelEnabled(level)) {
      return;
    }
    const message: unknown = typeof given === 'function' ? given() : given;
    const context = rest.at(-1);
    const text = rest.slice(0, -1).map(String).join(' ');
    if (message instanceof Error) {
      this.logger[level]({ context, err: message }, text || message.message);
    } else if (typeof message === 'object' && message !== null) {
      this.logger[level]({ context, ...message }, text);
    } else {
      this.logger[level]({ context, ...(text !== '' && { stack: text }) }, String(message));
    }
  }
}
