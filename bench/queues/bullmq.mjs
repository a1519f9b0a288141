// BullMQ on Redis. Redis answers an add before it is on the disk: it syncs its log every second.
import { Queue, Worker } from 'bullmq';
import { redisVersion, startRedis } from '../support/redis.mjs';
import { versionOf } from '../support/machine.mjs';

export const name = 'BullMQ';
/** Its processor time is Redis', which is not measured. */
export const onPostgres = false;
export const version = `${versionOf('bullmq')} on Redis ${redisVersion()}`;
export const settings =
  'concurrency 100, addBulk in 1,000s, results kept; Redis with appendonly yes, appendfsync everysec';
/** Why it cannot be measured here, if it cannot. */
export const missing = redisVersion() === null ? 'not installed' : null;

const QUEUE = 'bench';
const JOBS_PER_INSERT = 1_000;

const connection = (port) => ({ host: '127.0.0.1', port, maxRetriesPerRequest: null });

export async function setUp() {
  return startRedis();
}

export async function open({ port }) {
  const queue = new Queue(QUEUE, { connection: connection(port) });
  await queue.waitUntilReady();
  return {
    add: (key) => queue.add('bench', { key }),
    async fill(count) {
      await queue.obliterate({ force: true });
      for (let at = 0; at < count; at += JOBS_PER_INSERT) {
        const length = Math.min(JOBS_PER_INSERT, count - at);
        await queue.addBulk(
          Array.from({ length }, (_, index) => ({
            name: 'bench',
            data: { key: String(at + index) },
          })),
        );
      }
    },
    async busy() {
      const { wait, active } = await queue.getJobCounts('wait', 'active');
      return wait + active > 0;
    },
    async tally(_, { firstClaim }) {
      const [last] = await queue.getJobs(['completed'], 0, 0, false);
      return { done: await queue.getCompletedCount(), from: firstClaim, to: last?.finishedOn };
    },
    close: () => queue.close(),
  };
}

export async function work({ port }, onClaim, onStart) {
  let claimed = false;
  const worker = new Worker(
    QUEUE,
    async ({ data, processedOn }) => {
      if (!claimed) onClaim(processedOn);
      claimed = true;
      onStart(data.key);
      return { key: data.key };
    },
    { connection: connection(port), concurrency: 100 },
  );
  worker.on('error', (error) => console.error(error));
  await worker.waitUntilReady();
  return () => worker.close();
}
