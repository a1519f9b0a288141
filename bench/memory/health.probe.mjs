// A thread that asks for the service's health all the time: the clients' own work does not hold it up.
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

const times = [];
let going = true;
parentPort.once('message', () => {
  going = false;
});
while (going) {
  const start = performance.now();
  await (await fetch(`${workerData.url}/health/live`)).arrayBuffer();
  times.push(performance.now() - start);
  await sleep(5);
}
parentPort.postMessage(times);
