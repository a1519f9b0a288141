import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { CONFIG, type Config } from '../../platform/config.js';
import { Database } from '../../platform/database/database.js';
import { StandingConnection } from '../../platform/database/connections/standing-connection.js';
import { Periodic } from '../../platform/periodic.js';
import { JobSignals } from '../job/job-signals.js';

/** How often it is asked whether it lives: a link that was cut says nothing of its own accord. */
const CHECK_EVERY_MS = 5_000;
/** How long the database may take to answer. */
const ANSWER_MS = 4_000;

/** The connection on which a replica that runs no jobs hears hints; a worker's own does it elsewhere. */
@Injectable()
export class HintLine implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('HintLine');
  private readonly line: StandingConnection;
  private readonly loop = new Periodic({ name: 'HintLine', everyMs: CHECK_EVERY_MS }, () =>
    this.ask(),
  );

  constructor(database: Database, signals: JobSignals, @Inject(CONFIG) { ROLE }: Config) {
    this.line = new StandingConnection(database, {
      whose: 'the listening',
      answerMs: ANSWER_MS,
      greet: (connection) => signals.listen(connection, ROLE),
      hear: (channel, payload) => signals.hear(channel, payload),
      onConnected: () => signals.emit('hearing'),
      onLost: () => signals.emit('deaf'),
    });
  }

  /** A database that is away is no reason not to start: it goes on trying. */
  onApplicationBootstrap(): void {
    void this.line.open();
  }

  @Interval('hint line', CHECK_EVERY_MS)
  check(): Promise<void> {
    return this.loop.tick();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    await this.line.close();
  }

  private async ask(): Promise<void> {
    if (this.line.connected) {
      await this.line
        .ask((connection) => connection.query('SELECT 1'))
        .catch((error: unknown) => {
          this.logger.debug({ err: error }, 'the listening connection did not answer');
        });
    }
  }
}
