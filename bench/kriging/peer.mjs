// gstat in a process of R that stays, so that its turns cost no start.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { atEnd } from '../support/cleanup.mjs';
import { stopper } from '../support/processes.mjs';

/** @returns {string | undefined} the version of gstat, if it is installed */
export function gstatVersion() {
  const script = 'cat(as.character(packageVersion("gstat")))';
  const { status, stdout } = spawnSync('Rscript', ['-e', script], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

export class Gstat {
  #folder = mkdtempSync(join(tmpdir(), 'headframe-gstat-'));
  #child = spawn('Rscript', ['--vanilla', fileURLToPath(new URL('gstat.R', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  #answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();

  constructor() {
    atEnd(() => rmSync(this.#folder, { recursive: true, force: true }));
    atEnd(stopper(this.#child));
  }

  /**
   * Hands data over, outside of what is measured.
   * @param {number[][]} samples coordinates and value of each @param {number[][]} targets
   */
  async load(samples, targets) {
    this.#write('samples.bin', samples);
    this.#write('targets.bin', targets);
    const dimension = samples[0].length - 1;
    await this.ask(`load(${JSON.stringify(this.#folder)}, ${dimension})`);
  }

  /** @param {string} call of a function of gstat.R @returns {Promise<number>} its seconds */
  async ask(call) {
    this.#child.stdin.write(`${call}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`gstat ended at ${call}`);
    return Number(value);
  }

  /** @param {'values' | 'variances'} name what the last call found */
  found(name) {
    const bytes = readFileSync(join(this.#folder, `${name}.bin`));
    return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
  }

  #write(name, rows) {
    writeFileSync(join(this.#folder, name), new Float64Array(rows.flat()));
  }
}
