// One worker process of a peer: node peer.worker.mjs <module> <place as JSON>. It takes jobs when it
// is told `work`, or when told `add`, adds some of its own, spaced, and tells when they started.
import { randomUUID } from 'node:crypto';
import { now } from '../support/clock.mjs';
import { addToStart } from './add-to-start.mjs';

const [module, place] = process.argv.slice(2);
const { open, work } = await import(module);
const target = JSON.parse(place);
const TELL_EVERY_MS = 50;

async function drain() {
  let count = 0;
  let told = 0;
  const tell = () => {
    if (count > told) process.send({ count: (told = count) });
  };
  setInterval(tell, TELL_EVERY_MS);
  await work(
    target,
    (at) => process.send({ claimedAt: at }),
    () => {
      count += 1;
    },
    { prompt: false },
  );
}

const tellStarts = () =>
  work(
    target,
    () => {},
    (key) => process.send({ key, at: now() }),
    { prompt: true },
  );

async function addToSelf(options) {
  const starts = new Map();
  const queue = await open(target);
  await work(
    target,
    () => {},
    (key) => starts.get(key)?.(now()),
    { prompt: true },
  );
  const add = () => {
    const key = randomUUID();
    const started = new Promise((resolve) => starts.set(key, resolve));
    return { added: queue.add(key, { prompt: true }), started };
  };
  process.send({ waits: await addToStart(add, options) });
}

process.on('message', ({ command, options }) => {
  const commands = { drain, tellStarts, addToSelf };
  commands[command](options).then(
    () => process.send({ doing: command }),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
process.send({ ready: true });
