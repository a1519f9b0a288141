import {
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { Database } from '../database.js';
import { isDatabaseUnavailable } from '../database-errors.js';
import { type Migration, readMigrations } from './migrations.js';
import { faultOfSchema } from './schema-fault.js';
import { isOfServer } from './server-fault.js';
import { SchemaState } from './schema-state.js';

/** How soon a replica notices that its schema fits again … */
const UNFIT_EVERY_MS = 1_000;
/** … and that it does not fit any more; statements that fail for it answer 503 until then. */
const FIT_EVERY_MS = 5_000;

/**
 * Compares the schema with this build, and looks whether the server can be used as it must, before the replica listens and for as long as it runs: another
 * may migrate or restore the database under it. A change is one line in the log. A database that does
 * not answer changes nothing: that is reported elsewhere.
 */
@Injectable()
export class SchemaWatch implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Schema');
  private migrations: readonly Migration[] = [];
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;
  private waysAreKnown = false;

  constructor(
    private readonly database: Database,
    private readonly state: SchemaState,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.migrations = await readMigrations();
    await this.look();
  }

  onModuleDestroy(): void {
    this.stopped = true;
    clearTimeout(this.timer ?? undefined);
  }

  private async look(): Promise<void> {
    try {
      const fault = await this.faultOfWays();
      this.tell(fault ?? (await faultOfSchema(this.database.requests, this.migrations)));
    } catch (error) {
      if (!isDatabaseUnavailable(error)) {
        this.logger.error({ err: error }, 'the schema could not be compared');
      }
    }
    if (!this.stopped) {
      const wait = this.state.fault === null ? FIT_EVERY_MS : UNFIT_EVERY_MS;
      this.timer = setTimeout(() => void this.look(), wait);
    }
  }

  /** A way through a pooler is looked at each time, since its settings may change; a direct one once. */
  private async faultOfWays(): Promise<string | null> {
    if (this.waysAreKnown && !this.database.pooled) {
      return null;
    }
    const fault = await this.database.faultOfWays();
    this.waysAreKnown = fault === null;
    return fault;
  }

  private tell(fault: string | null): void {
    if (fault === this.state.fault) {
      if (isOfServer(fault)) {
        // The address may lead elsewhere by now: only a new connection finds out.
        this.database.discardConnections();
      }
      return;
    }
    this.state.set(fault);
    if (fault === null) {
      this.logger.log('the schema fits: takes requests and jobs');
      return;
    }
    this.logger.error(`not ready: ${fault}`);
    // Sessions that began before keep what they were given then.
    this.database.discardConnections();
  }
}
