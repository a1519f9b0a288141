import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const FOLDER = fileURLToPath(new URL('../../deploy/helm/', import.meta.url));
/** The oldest that the chart is for. */
const KUBERNETES = '1.27.0';

/** How to render: `helm` itself, or Helm's library in Python; null when there is neither. */
const renderer = ((): ((values: object) => ReturnType<typeof run>) | null => {
  const helm = process.env.HEADFRAME_TEST_HELM ?? 'helm';
  const chart = `${FOLDER}headframe`;
  if (run(helm, ['version', '--short']).status === 0) {
    const words = ['template', 'headframe', chart, '--namespace', 'headframe', '--values', '-'];
    return (values) => run(helm, [...words, '--kube-version', KUBERNETES], values);
  }
  const python = process.env.HEADFRAME_TEST_HELM_PYTHON ?? 'python3';
  return run(python, ['-c', 'import helm_python']).status === 0
    ? (values) => run(python, [`${FOLDER}render.py`, chart], values)
    : null;
})();

export const HAS_HELM = renderer !== null;

/** The manifests that the chart makes of values, as text; what Helm says when it refuses them. */
export function rendered(values: object): { ok: boolean; text: string } {
  if (renderer === null) throw new Error('There is no Helm: see HAS_HELM.');
  const { status, stdout, stderr } = renderer(values);
  return status === 0 ? { ok: true, text: stdout } : { ok: false, text: stderr };
}

/** Values of an example, by its name. */
export const EXAMPLES = ['identity-provider', 'pools', 'process-tasks'] as const;
export const exampleFile = (name: (typeof EXAMPLES)[number]): string =>
  `${FOLDER}examples/${name}.yaml`;
export const valuesIn = (text: string): object => parse(text) as object;

function run(program: string, words: string[], values?: object) {
  return spawnSync(program, words, {
    encoding: 'utf8',
    input: values === undefined ? '' : JSON.stringify(values),
    maxBuffer: 64 * 1024 * 1024,
  });
}
