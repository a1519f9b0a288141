// What a person sees of the set-up. All of it goes to stderr: `npm run -s token` must print a token
// and nothing else on stdout.
import { stripVTControlCharacters } from 'node:util';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const { stderr, env } = process;
const live = stderr.isTTY === true && !env.CI && env.TERM !== 'dumb';

/**
 * Shows that something is under way until the work ends: a line with a running clock on a terminal,
 * else one line at the start, one every half minute and one at the end.
 * @template T
 * @param {{doing: string, done: string}} words
 * @param {() => Promise<T>} work
 */
export async function during(words, work) {
  const started = Date.now();
  const clock = () => seconds(Date.now() - started);
  let frame = 0;
  const draw = () => {
    frame += 1;
    if (live) stderr.write(`\r\x1b[2K${FRAMES[frame % FRAMES.length]} ${words.doing} … ${clock()}`);
    else stderr.write(`${words.doing} … ${frame === 1 ? '' : clock()}`.trimEnd() + '\n');
  };
  draw();
  const timer = setInterval(draw, live ? 100 : 30_000);
  try {
    const result = await work();
    stderr.write(
      live ? `\r\x1b[2K✓ ${words.done} in ${clock()}\n` : `${words.done} in ${clock()}\n`,
    );
    return result;
  } catch (error) {
    if (live) stderr.write(`\r\x1b[2K✗ ${words.doing}\n`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** @param {string} text */
export function complain(text) {
  // Compilers colour what they print, whoever reads it.
  const plain = stderr.isTTY !== true || env.NO_COLOR;
  stderr.write(`\n${(plain ? stripVTControlCharacters(text) : text).trimEnd()}\n\n`);
}

/** @param {number} milliseconds */
function seconds(milliseconds) {
  const s = milliseconds / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  return s < 100 ? `${Math.round(s)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
}
