// A worker process of a peer, as the benchmark holds it.
import { peakMemory, startChild } from '../support/processes.mjs';

/** @param {string} module address of the peer's module @param {object} place where its queue is */
export async function startPeer(module, place) {
  const { child, stop } = startChild('bench/queues/peer.worker.mjs', [
    module,
    JSON.stringify(place),
  ]);
  const handle = {
    pid: child.pid,
    /** Jobs whose code was called. */
    count: 0,
    /** Epoch milliseconds of its first claim. */
    claimedAt: null,
    /** @type {(key: string, at: number) => void} */
    onStart: () => {},
    peakMemory: () => peakMemory(child),
    stop,
    async tell(command, options) {
      child.send({ command, options });
      return until(child, (message) => message.doing === command || message.waits !== undefined);
    },
  };
  child.on('message', (message) => {
    handle.count = message.count ?? handle.count;
    handle.claimedAt ??= message.claimedAt ?? null;
    if (message.key !== undefined) handle.onStart(message.key, message.at);
  });
  await until(child, (message) => message.ready);
  return handle;
}

/** The first message of that kind; rejects when the child ends before it. */
function until(child, isIt) {
  return new Promise((resolve, reject) => {
    const hear = (message) => {
      if (!isIt(message)) return;
      child.off('message', hear).off('exit', end);
      resolve(message);
    };
    const end = () => reject(new Error('a worker ended by itself'));
    child.on('message', hear).once('exit', end);
  });
}
