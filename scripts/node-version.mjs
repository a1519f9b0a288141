// Read by every Node this project may be tried on, however old: keep the syntax of Node 14.

/**
 * Why this Node cannot run the project, or null when it can.
 * @param {string} running such as `20.20.2` (process.versions.node)
 * @param {string} range the lowest version, as package.json's engines write it: `>=20.19`
 * @returns {string | null}
 */
export function nodeProblem(running, range) {
  const lowest = /^>=\s*(\d+(?:\.\d+){0,2})$/.exec(range.trim());
  if (lowest === null) {
    throw new Error('package.json: "engines.node" must look like ">=20.19", not "' + range + '".');
  }
  if (compare(parts(running), parts(lowest[1])) >= 0) return null;
  return [
    'Node ' + running + ' is too old: this project needs Node ' + lowest[1] + ' or newer.',
    'Install a current Node from your package manager, or with a version manager:',
    '  nvm install --lts    or    fnm install --lts    or    volta install node@lts',
    'Then open a new terminal and run the command again (node --version tells which Node is found).',
  ].join('\n');
}

/** @param {string} version */
function parts(version) {
  const numbers = version.split('-')[0].split('.').map(Number);
  return [numbers[0], numbers[1] || 0, numbers[2] || 0];
}

/**
 * @param {number[]} a
 * @param {number[]} b
 */
function compare(a, b) {
  for (let i = 0; i < 3; i += 1) {
    if (a[i] !== b[i]) return a[i] - b[i];
  }
  return 0;
}
