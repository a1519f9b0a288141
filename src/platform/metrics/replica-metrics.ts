import type { Config } from '../config.js';
import type { SchemaState } from '../database/schema/schema-state.js';
import { linesLost } from '../logging/log-destination.js';
import { VERSION } from '../version.js';
import type { Metrics } from './metrics.js';

/** What a replica is, and whether the database's schema lets it work. */
export function measureReplica(
  metrics: Metrics,
  { ROLE }: Pick<Config, 'ROLE'>,
  schema: SchemaState,
): void {
  metrics.gauge(
    {
      name: 'headframe_build_info',
      help: 'Always 1; its labels say which version runs, on which Node, in which role.',
      labels: ['version', 'node', 'role'],
    },
    () => [[[VERSION, process.version, ROLE], 1]],
  );
  const lost = metrics.counter({
    name: 'headframe_log_lines_lost_total',
    help: 'Lines of the log that could not be written: their disk is full, or their reader is gone.',
  });
  metrics.refreshes.push(async () => {
    lost.of().value = linesLost;
  });
  metrics.gauge(
    {
      name: 'headframe_schema_fit',
      help: "1 while the database's schema fits this version; 0: it answers 503 and takes no jobs.",
    },
    () => [[[], schema.fault === null ? 1 : 0]],
  );
}
