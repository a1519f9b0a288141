import * as headframe from './queues/headframe.mjs';
import { drain } from './queues/drain.mjs';
import { costsOf } from './queues/costs.mjs';
import { benchDatabase } from './support/embedded.mjs';
import { startServer, peakMemory } from './support/processes.mjs';
import { runBenchmark } from './support/cleanup.mjs';
const jobs = Number(process.argv[2] ?? 200000), runs = Number(process.argv[3] ?? 1), procs = Number(process.argv[4] ?? 1), orgs = Number(process.argv[5] ?? 1);
await runBenchmark(async () => {
  const { url } = await benchDatabase();
  const queue = await headframe.open({ url }, { organizations: orgs });
  const costs = await costsOf(url);
  const start = async () => {
    const server = await startServer('dist/main.js', { DATABASE_URL: url, ROLE: 'worker', LOG_LEVEL: 'error', WORKER_SLOTS: '100' }, (process.env.PF ?? '').split(' ').filter(Boolean));
    return { pid: server.child.pid, peakMemory: () => peakMemory(server.child), stop: server.stop };
  };
  for (let i = 0; i < runs; i++) {
    const r = await drain(queue, start, { jobs, processes: procs, costs });
    console.log(`rate ${Math.round(r.rate)} memory ${Math.round(r.memory)} worker ${r.costs.workers.toFixed(1)} db ${r.costs.database.toFixed(1)} wal ${Math.round(r.costs.wal)}`);
  }
  await costs.close(); await queue.close();
}, { minutes: 5 });
