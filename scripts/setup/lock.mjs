// Written by hand, since it runs before any package is installed.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupFailure } from './failure.mjs';
import { during } from './report.mjs';

/** Not in node_modules, which an installation deletes. */
const LOCK = '.headframe/setup.lock';
/** A lock without an owner's name is either a moment old or was left by a crash between two calls. */
const NAMELESS_MS = 5_000;
/** Another machine's process (a shared folder) cannot be looked at: only its age tells. */
const FOREIGN_MS = 15 * 60_000;
const PATIENCE_MS = 15 * 60_000;

/**
 * Makes two npm commands started at once take turns. A lock whose owner died is taken over, but not
 * while a program still runs that the dead owner had started: a killed set-up leaves npm behind,
 * which goes on rewriting node_modules.
 * @typedef {{release(): void, noteWorker(pid: number): void}} Lock
 * @param {string} root
 * @returns {Promise<Lock>} release may be called twice
 */
export async function takeLock(root) {
  const lock = path.join(root, LOCK);
  mkdirSync(path.dirname(lock), { recursive: true });
  if (!tryTake(lock)) {
    const words = { doing: 'Waiting for another set-up of this folder', done: 'Waited' };
    await during(words, () => waitFor(lock));
  }
  let held = true;
  return {
    noteWorker: (pid) => writeFileSync(path.join(lock, 'worker'), String(pid)),
    release() {
      if (held) rmSync(lock, { recursive: true, force: true });
      held = false;
    },
  };
}

/** @param {string} lock */
async function waitFor(lock) {
  const deadline = Date.now() + PATIENCE_MS;
  while (!tryTake(lock)) {
    if (Date.now() > deadline) {
      throw new SetupFailure(
        `Another set-up of this folder (process ${owner(lock)?.pid ?? 'unknown'}) has not ended for 15 minutes.\n` +
          `If none is running, delete ${lock} and try again.`,
      );
    }
    await sleep(100);
  }
}

/** @param {string} lock */
function tryTake(lock) {
  try {
    mkdirSync(lock);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return isStale(lock) && removeStale(lock) && tryTake(lock);
  }
  writeFileSync(
    path.join(lock, 'owner'),
    JSON.stringify({ pid: process.pid, host: os.hostname() }),
  );
  return true;
}

/** @param {string} lock */
function isStale(lock) {
  const found = owner(lock);
  if (found === null) return age(lock) > NAMELESS_MS;
  if (found.host !== os.hostname()) return age(lock) > FOREIGN_MS;
  return !isAlive(found.pid) && !isAlive(worker(lock));
}

/** @param {number | null} pid */
function isAlive(pid) {
  if (pid === null) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}

/**
 * Moves the dead lock aside before deleting it, so that of several waiting processes one does it; and
 * puts it back when it turns out to be a new one, taken between the look and the move.
 * @param {string} lock
 * @returns {boolean} whether it is gone
 */
function removeStale(lock) {
  const aside = `${lock}.stale-${process.pid}`;
  try {
    renameSync(lock, aside);
    if (!isStale(aside)) {
      renameSync(aside, lock);
      return false;
    }
    rmSync(aside, { recursive: true, force: true });
    return true;
  } catch {
    // Another process was faster.
    return false;
  }
}

/** @param {string} lock @returns {{pid: number, host: string} | null} */
function owner(lock) {
  try {
    return JSON.parse(readFileSync(path.join(lock, 'owner'), 'utf8'));
  } catch {
    return null;
  }
}

/** @param {string} lock */
function worker(lock) {
  try {
    return Number(readFileSync(path.join(lock, 'worker'), 'utf8')) || null;
  } catch {
    return null;
  }
}

/** @param {string} lock milliseconds since the lock was taken */
function age(lock) {
  try {
    return Date.now() - statSync(lock).mtimeMs;
  } catch {
    return 0;
  }
}
