// Headframe's times from an add to the start of its task: over HTTP, and through the store alone.
import { once } from 'node:events';
import { createSecretKey, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { SignJWT } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { SECRET } from '../support/processes.mjs';
import { addToStart } from './add-to-start.mjs';
import { open, startWorker } from './headframe.mjs';

const BODY = JSON.stringify({ parameters: { seconds: 0, steps: 1 } });

/** Gathers the moments at which tasks started, whether they are asked for before or after. */
class Starts {
  #known = new Map();

  constructor(worker) {
    worker.onStart = (key, at) => this.#of(key).resolve(at);
  }

  /** @returns {Promise<number>} */
  of(key) {
    return this.#of(key).promise;
  }

  #of(key) {
    if (!this.#known.has(key)) {
      let resolve;
      const promise = new Promise((settle) => {
        resolve = settle;
      });
      this.#known.set(key, { promise, resolve });
    }
    return this.#known.get(key);
  }
}

/** From sending the request to the call of the task's code, in one process (`all`) or across two. */
export async function httpToStart(place, { across, ...options }) {
  const worker = await startWorker(place, { role: across ? 'worker' : 'all', probe: true });
  const api = across ? await startWorker(place, { role: 'api' }) : worker;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const starts = new Starts(worker);
    const submit = await submitter(api.url, agent);
    const add = () => {
      const added = submit();
      return { added, started: added.then((jobId) => starts.of(jobId)) };
    };
    return await addToStart(add, options);
  } finally {
    agent.destroy();
    if (across) await api.stop();
    await worker.stop();
  }
}

/** From calling the store to the call of the task's code in the same process. */
export async function selfToStart(place, options) {
  const both = await startWorker(place, { role: 'all', probe: true });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const starts = new Starts(both);
    const submit = await submitter(both.url, agent);
    await starts.of(await submit());
    return await both.addToSelf(options);
  } finally {
    agent.destroy();
    await both.stop();
  }
}

/** From calling the store to the call of the task's code in another process. */
export async function storeToStart(place, options) {
  const worker = await startWorker(place, { probe: true });
  const queue = await open(place);
  try {
    const starts = new Starts(worker);
    const add = () => {
      const jobId = uuidv7();
      return { added: queue.add(jobId), started: starts.of(jobId) };
    };
    return await addToStart(add, options);
  } finally {
    await queue.close();
    await worker.stop();
  }
}

async function submitter(url, agent) {
  const org = randomUUID();
  const token = await new SignJWT({ orgs: org, scope: 'compute:execute', sub: 'bench' })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('2h')
    .sign(createSecretKey(Buffer.from(SECRET)));
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': BODY.length,
  };
  return async () => {
    const path = `/compute/orgs/${org}/diagnostics/sleep`;
    const asked = request(url + path, { method: 'POST', headers, agent });
    asked.end(BODY);
    const [response] = await once(asked, 'response');
    response.resume();
    if (response.statusCode !== 303)
      throw new Error(`a submit was answered ${response.statusCode}`);
    return response.headers.location.split('/').at(-2);
  };
}
